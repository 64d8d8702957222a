/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packetdrill_play [--wrong] SCRIPT-OR-FOLDER...: runs scripts against the stack, prints what
 * failed and the score of each folder. Status 0: all passed, and there were some. With --wrong each
 * must fail, and its message have the text behind `// says: ` in its first line: so this program
 * is seen to notice.
 */
#include "play.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 1024, SAYS_BYTES = 128 };

struct score {
    uint32_t passed, failed;
};

static bool wrong; /* --wrong */

/* What a script that must fail wants to hear; false: it does not say. */
static bool read_says(const char *path, char *says, int bytes)
{
    static const char head[] = "// says: ";
    FILE *f = fopen(path, "r");
    const bool good = f != NULL && fgets(says, bytes, f) != NULL &&
                      strncmp(says, head, strlen(head)) == 0;

    if (good) {
        memmove(says, says + strlen(head), strlen(says) - strlen(head) + 1);
        says[strcspn(says, "\n")] = '\0';
    }
    if (f != NULL)
        fclose(f);
    return good;
}

/* True: it failed as it should. */
static bool fails_as_said(const char *path, bool passed, const char *message)
{
    char says[SAYS_BYTES];

    if (!read_says(path, says, sizeof(says)))
        printf("%s: its first line is not `// says: TEXT`\n", path);
    else if (passed)
        printf("%s: passed, but should say: %s\n", path, says);
    else if (strstr(message, says) == NULL)
        printf("%s: should say: %s, said: %s", path, says, message);
    else
        return true;
    return false;
}

static void run_file(const char *path, struct score *score)
{
    static struct script script;
    char *message = NULL;
    size_t bytes = 0;
    FILE *errors = open_memstream(&message, &bytes);
    bool good;

    if (errors == NULL)
        world_fail("no memory");
    good = script_read(&script, path, errors) && play_run(&script, errors);
    fclose(errors);
    if (wrong)
        good = fails_as_said(path, good, message);
    else
        fputs(message, stdout);
    score->passed += good;
    score->failed += !good;
    free(message);
}

static void run_folder(const char *folder, struct score *all)
{
    struct dirent **entries;
    const int count = scandir(folder, &entries, NULL, alphasort);
    struct score score = {0, 0};
    char path[PATH_BYTES];

    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name, *dot = strrchr(name, '.');
        struct stat what;

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        if (name[0] != '.' && stat(path, &what) == 0 && S_ISDIR(what.st_mode))
            run_folder(path, all);
        else if (dot != NULL && strcmp(dot, ".pkt") == 0)
            run_file(path, &score);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    if (score.passed + score.failed != 0)
        printf("%-40s %3u passed, %u failed\n", folder, score.passed, score.failed);
    all->passed += score.passed;
    all->failed += score.failed;
}

int main(int argc, char **argv)
{
    struct score all = {0, 0};

    wrong = argc > 1 && strcmp(argv[1], "--wrong") == 0;
    for (int i = 1 + wrong; i < argc; i++) {
        const char *dot = strrchr(argv[i], '.');

        if (dot != NULL && strcmp(dot, ".pkt") == 0)
            run_file(argv[i], &all);
        else
            run_folder(argv[i], &all);
    }
    printf("%u passed, %u failed\n", all.passed, all.failed);
    return all.failed == 0 && all.passed != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
