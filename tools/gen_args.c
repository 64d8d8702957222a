/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints docs/boot-args.md from the tables that the image parses its command line with.
 * `gen_args --check FILE` compares instead: 0 when the file is what would be printed.
 */
#include <echo/options.h>
#include <l2fwd/options.h>

#include <kit/net.h>
#include <kit/options.h>
#include <rt/app.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOC_BYTES = 65536 };

static const char *const intro =
    "# Boot arguments\n"
    "\n"
    "<!-- Made by tools/gen_args.c from the tables in rt/core/config.c,\n"
    "     apps/kit/options.c, apps/kit/net_config.c, apps/echo/options.c and\n"
    "     apps/l2fwd/options.c: change those, then `gen_args > docs/boot-args.md`. -->\n"
    "\n"
    "Arguments are words `name=value` of the kernel command line (iPXE, GRUB, kexec,\n"
    "`qemu -append`) or of the EFI load options. Numbers are decimal or `0x` hexadecimal, with\n"
    "`k` for thousands and `M` for millions. A bare name of an on/off argument means on. `help`\n"
    "among them prints this list and ends the start. A wrong name or value stops it, too: each\n"
    "mistake is one line with what, the allowed range and the nearest name; the exit code is 2,\n"
    "which QEMU passes on as status 5. Words that loaders add (`BOOT_IMAGE=`, `initrd=`) are\n"
    "skipped.\n"
    "\n"
    "Arguments marked *live* may be changed on the console while running:\n"
    "`set name=value`. Those of `kit` are every application's, those of\n"
    "`net` of applications with a network stack (`chargen`, `echo`, `hello`), those of `echo` and\n"
    "`l2fwd` their own.\n";

static void put_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputs(" | ", out);
}

static void put_table(FILE *out, const struct arg_table *table)
{
    char allowed[200];

    fprintf(out, "\n## %s\n\n| argument | default | allowed | | meaning |\n", table->title);
    fputs("|---|---|---|---|---|\n", out);
    for (uint32_t i = 0; i < table->count; i++) {
        const struct arg *arg = &table->args[i];

        args_allowed(arg, allowed, sizeof(allowed));
        fprintf(out, "| `%s` | ", arg->name);
        put_cell(out, arg->preset);
        put_cell(out, allowed);
        put_cell(out, arg->live ? "live" : "");
        put_cell(out, arg->help);
        fputs("\n", out);
    }
}

static int check(const char *path, const char *wanted)
{
    static char found[DOC_BYTES];
    FILE *in = fopen(path, "r");
    size_t bytes;

    if (in == NULL) {
        perror(path);
        return 1;
    }
    bytes = fread(found, 1, sizeof(found) - 1, in);
    fclose(in);
    found[bytes] = '\0';
    if (strcmp(found, wanted) == 0)
        return 0;
    fprintf(stderr, "%s differs from the tables; run gen_args > docs/boot-args.md\n", path);
    return 1;
}

int main(int argc, char **argv)
{
    static char doc[DOC_BYTES];
    FILE *out = fmemopen(doc, sizeof(doc), "w");

    if (out == NULL)
        return 1;
    fputs(intro, out);
    put_table(out, &rt_arg_table);
    put_table(out, &kit_arg_table);
    put_table(out, &kit_net_arg_table);
    put_table(out, &echo_arg_table);
    put_table(out, &l2fwd_arg_table);
    if (ferror(out) != 0 || fclose(out) != 0)
        return 1;
    if (argc == 3 && strcmp(argv[1], "--check") == 0)
        return check(argv[2], doc);
    fputs(doc, stdout);
    return 0;
}
