#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Source rules that no compiler sees. Each message says the rule and why it is one.

usage: tidy.py [--cc CC] [ROOT]   check the tree (default: the one this file is in)
       tidy.py --self-test        each rule must fire on a sample that breaks it

An exception is written where it is taken, with its reason: `tidy: RULE: reason` in a comment
on the line or the one above (for a file rule: anywhere in the file).
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile

LINE_COLUMNS_WANTED = 96
LINE_COLUMNS_MAX = 100
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 6

WHY = {
    "spdx": "the first line names the license, so that files can travel alone",
    "line": f"{LINE_COLUMNS_WANTED} columns are wanted, more than {LINE_COLUMNS_MAX} refused: "
            "two files fit side by side",
    "file": f"at most {FILE_LINES_MAX} lines: a file has one subject",
    "function": f"at most {FUNCTION_LINES_MAX} lines: a function is read in one piece",
    "parameters": f"at most {PARAMETERS_MAX}: more want a structure with named members",
    "hash-if": "no #if in a function: variants are files or constants, so all of it compiles",
    "prefix": "a public function is named after its folder, its header or its file",
    "banned": "there is a bounded, checked or clearer way",
    "loop": "every loop has a bound; one that has none says why in a comment",
    "owned": "consumers of buffers are paired with producers (RT_PAIRED_WITH), so that gcc "
             "reports use after a hand-over",
    "dead": "a source that no meson.build names is not built, tested or true any more",
    "header": "a public header compiles alone: includes have no order",
    "documented": "who calls a public function reads its header: what for, who owns what, errors",
    "asserts": "what a function assumes is said where it is run: the share never falls",
}

# Run-time assertions for each function, at least: what a folder has reached. Raise it with them.
ASSERTS_MIN = {"rt": 0.33, "mempool": 0.38, "pmd": 0.34, "apps": 0.34, "model": 0.3}
ASSERT = re.compile(r"\b(?:RT_ASSERT(?:_[A-Z]+)?|RT_INVARIANT)\(")
# Not counted: before there is a console, and what a failed assertion itself runs.
ASSERTS_NOWHERE = ("rt/boot/", "rt/include/rt/assert.h", "rt/core/fmt.c", "rt/core/log.c",
                   "rt/x86/console.c", "rt/x86/exit.c", "rt/x86/framebuffer.c",
                   "rt/x86/panic.c", "rt/x86/power.c", "rt/x86/string.c", "rt/x86/symbols.c",
                   "rt/x86/x86.h")

# Folder nouns (HACKING.md); the stems of a folder's own headers count too.
PREFIXES = {
    "rt/x86": {"core", "fb", "symbol"},
    "rt": {"rt", "hal", "args", "ring", "timer", "poll", "pci", "boot", "trace", "acpi"},
    "mempool": {"pool", "buf"},
    "pmd": {"nic", "e1000e"},
    "apps/l2fwd": {"l2fwd"},
    "apps/kit": {"kit"},
    "tcp": {"tcp", "net", "ip", "if", "eth", "arp", "acd", "neigh", "icmp", "loop", "chain",
            "csum", "udp", "dhcp"},
}
# What the language, the compiler and the assembler call by their own names.
FREE_NAMES = {"main", "memcpy", "memset", "memmove", "memcmp", "memchr", "strlen", "strnlen",
              "strcmp", "strncmp", "strchr", "strrchr", "_start", "host_main",
              "LLVMFuzzerTestOneInput"}

BANNED = [
    (re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|alloca|strtok)\s*\("),
     "writes without a bound"),
    (re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"), "unfinished work is an issue, not a comment"),
    (re.compile(r"(?<![:\w\"'])//(?![^\"]*\")"), "comments are /* */ here"),
    (re.compile(r"/work/|/home/\w"), "a path of one machine"),
    (re.compile(r"__attribute__\s*\(\(\s*malloc\s*\)\)"),
     "plain malloc promises fresh memory, which a pool does not give"),
]
SOURCE = (".c", ".h", ".S", ".ld", ".py", ".build")


class Report:
    def __init__(self):
        self.count = 0
        self.rules = set()

    def say(self, path, line, rule, text):
        self.count += 1
        self.rules.add(rule)
        print(f"{path}:{line}: {rule}: {text} (rule: {WHY[rule]})")


def excepted(lines, number, rule):
    mark = f"tidy: {rule}:"
    return any(mark in lines[i] for i in (number - 1, number - 2) if 0 <= i < len(lines))


def strip_c(text):
    """Comments and the insides of strings blanked, lines kept."""
    def blank(match):
        token = match.group(0)
        if token.startswith("/"):
            return re.sub(r"[^\n]", " ", token)
        return token[0] + " " * (len(token) - 2) + token[-1]
    pattern = r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
    return re.sub(pattern, blank, text, flags=re.S)


def functions(code):
    """(name, first line, last line, signature) of each definition, by our brace style."""
    lines = code.split("\n")
    found = []
    i = 0
    while i < len(lines):
        if lines[i] != "{":
            i += 1
            continue
        first = i
        while first > 0 and lines[first - 1].strip() and not lines[first - 1].endswith(
                (";", "}")) and not lines[first - 1].startswith("#"):
            first -= 1
        signature = " ".join(lines[first:i])
        last = i
        while last < len(lines) - 1 and not lines[last].startswith("}"):
            last += 1
        match = re.search(r"(\w+)\s*\((.*)\)[^()]*$", signature)
        if match and not re.match(r"\s*(struct|enum|union)\s+\w+\s*$", signature):
            found.append((match.group(1), first + 1, last + 1, signature))
        i = last + 1
    return found


def count_parameters(signature):
    depth, commas = 0, 0
    arguments = signature[signature.index("(") + 1:signature.rindex(")")]
    for c in arguments:
        depth += (c == "(") - (c == ")")
        commas += c == "," and depth == 0
    return 0 if arguments.strip() in ("", "void") else commas + 1


def check_text(report, path, text):
    lines = text.split("\n")
    first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
    if "SPDX-License-Identifier: BSD-2-Clause" not in first:
        report.say(path, 1, "spdx", "no SPDX-License-Identifier: BSD-2-Clause")
    if len(lines) > FILE_LINES_MAX + 1 and "tidy: file:" not in text:
        report.say(path, len(lines), "file", f"{len(lines) - 1} lines")
    for number, line in enumerate(lines, 1):
        columns = len(line[:-1].rstrip() if line.endswith("\\") else line)
        if columns > LINE_COLUMNS_MAX and not excepted(lines, number, "line"):
            report.say(path, number, "line", f"{columns} columns")


def check_banned(report, path, text):
    lines = text.split("\n")
    code = strip_c(text).split("\n")
    for number, line in enumerate(lines, 1):
        for pattern, reason in BANNED:
            in_comments = "TODO" in pattern.pattern or "/work" in pattern.pattern
            looked_at = line if in_comments else code[number - 1]
            if "comments are" in reason:
                looked_at = re.sub(r"\"[^\"]*\"|/\*.*?(\*/|$)", "", line)
                looked_at = "" if looked_at.lstrip().startswith("*") else looked_at
            match = pattern.search(looked_at)
            if path.startswith("tests/") and "bound" in reason:
                continue  # sanitizers watch there
            if match and not excepted(lines, number, "banned"):
                report.say(path, number, "banned", f"`{match.group(0)}`: {reason}")
        endless = re.search(r"for \(;;\)|while \((1|true)\)", code[number - 1])
        commented = any("*/" in lines[i] for i in range(number - 4, number + 2)
                        if 0 <= i < len(lines))
        if endless and not commented:
            report.say(path, number, "loop", f"`{endless.group(0)}` without a comment")


def check_functions(report, path, text):
    code = strip_c(text)
    lines, code_lines = text.split("\n"), code.split("\n")
    for name, first, last, signature in functions(code):
        if last - first + 1 > FUNCTION_LINES_MAX and not excepted(lines, first, "function"):
            report.say(path, first, "function", f"{name}: {last - first + 1} lines")
        count = count_parameters(signature)
        if count > PARAMETERS_MAX and not excepted(lines, first, "parameters"):
            report.say(path, first, "parameters", f"{name}: {count}")
        for number in range(first, last + 1):
            if re.match(r"\s*#\s*(if|ifdef|ifndef|elif|else)\b", code_lines[number - 1]):
                report.say(path, number, "hash-if", f"in {name}")


def check_prefixes(report, path, text, stems):
    folder = os.path.dirname(path)
    allowed = set(stems)
    for prefix_folder, nouns in PREFIXES.items():
        if folder == prefix_folder or folder.startswith(prefix_folder + "/"):
            allowed |= nouns
    if allowed == set(stems):
        return
    stem = os.path.splitext(os.path.basename(path))[0]
    allowed |= {stem, *stem.split("_")}
    for name, first, _, signature in functions(strip_c(text)):
        if re.match(r"(\w+ )*static\b|.*\bstatic\b|RT_INLINE", signature) or name in FREE_NAMES:
            continue
        noun = name.split("_")[0]
        if not any(noun == a or name.startswith(a + "_") for a in allowed):
            report.say(path, first, "prefix",
                       f"{name} begins with none of {', '.join(sorted(allowed))}")


def check_owned(report, texts):
    everything = "\n".join(texts.values())
    for path, text in texts.items():
        if "/include/" not in path:
            continue
        for match in re.finditer(r"\b(\w+)\(([^(){};]*\bstruct buf \*\w+_owned\b[^(){};]*)\);",
                                 strip_c(text)):
            name, arguments = match.groups()
            position = next(i for i, a in enumerate(arguments.split(","), 1) if "_owned" in a)
            line = text[:match.start()].count("\n") + 1
            if not re.search(rf"RT_PAIRED_WITH\({name}, {position}\)", everything) and \
                    not excepted(text.split("\n"), line, "owned"):
                report.say(path, line, "owned",
                           f"{name} is in no RT_PAIRED_WITH({name}, {position})")


def check_dead(report, texts):
    builds = "\n".join(t for p, t in texts.items()
                       if p.endswith("meson.build") or p.startswith("tests/rig/"))
    includes = "\n".join(re.findall(r"#include [<\"]([^>\"]+)[>\"]", "\n".join(
        t for p, t in texts.items() if not p.endswith(".build"))))
    for path, text in texts.items():
        name = os.path.basename(path)
        stem, extension = os.path.splitext(name)
        core = re.sub(r"_(test|fuzz)$", "", stem)
        if extension == ".h":
            alive = re.search(rf"(^|/){re.escape(name)}$", includes, re.M)
        elif extension in (".c", ".S", ".ld"):
            alive = re.search(rf"['\"/]({re.escape(name)}|{stem}|{core})['\"]", builds)
            alive = alive or re.search(rf"(^|/){re.escape(name)}$", includes, re.M)
        else:
            continue
        if not alive and "tidy: dead:" not in text:
            report.say(path, 1, "dead", "no meson.build names it and nothing includes it")


def declarations(code):
    """(first line, last line, text) of what stands at the left margin of a header, with a body."""
    i = 0
    while i < len(code):
        last, whole = i, code[i]
        if re.match(r"[A-Za-z_]", whole):
            while not re.search(r"[;{]\s*$", whole) and last + 1 < len(code):
                last += 1
                whole += " " + code[last].strip()
            if whole.rstrip().endswith("{"):
                while last + 1 < len(code) and not code[last].startswith("}"):
                    last += 1
            yield i, last, whole
        i = last + 1


def check_documented(report, path, text):
    """A comment above it, behind it, or above its group: the lines without a blank one."""
    lines, code = text.split("\n"), strip_c(text).split("\n")
    for first, last, whole in declarations(code):
        match = re.match(r"(?!_Static_assert|struct \w+ \{|enum|union|typedef)[^={]*?\b(\w+)\(",
                         re.sub(r"RT_(PAIRED_WITH|PRINTF|ALIGNED)\([^)]*\)", "", whole))
        top = first
        while top > 0 and lines[top - 1].strip():
            top -= 1
        if match and not any("/*" in line or "*/" in line for line in lines[top:last + 1]):
            report.say(path, first + 1, "documented", match.group(1))


def count_asserts(texts):
    """{folder of ASSERTS_MIN: (assertions, functions)}."""
    found = {folder: (0, 0) for folder in ASSERTS_MIN}
    for path, text in texts.items():
        folder = path.split("/")[0]
        if folder not in found or not path.endswith((".c", ".h")) or \
                path.startswith(ASSERTS_NOWHERE):
            continue
        code = strip_c(text)
        asserts, count = found[folder]
        found[folder] = (asserts + len(ASSERT.findall(code)), count + len(functions(code)))
    return found


def check_asserts(report, texts):
    for folder, (asserts, count) in count_asserts(texts).items():
        share = asserts / max(count, 1)
        print(f"tidy: {folder}: {asserts} assertions in {count} functions, {share:.2f} each")
        if count and share < ASSERTS_MIN[folder]:
            report.say(folder, 1, "asserts", f"{share:.3f} a function, "
                                             f"at least {ASSERTS_MIN[folder]}")


def check_headers(report, root, texts, cc):
    worlds = [w for w in ("rt/host/include", "rt/x86/include")
              if os.path.isdir(os.path.join(root, w))]
    folders = sorted({p[:p.index("include/") + 7] for p in texts if "/include/" in p})
    for path in sorted(p for p in texts if "/include/" in p and p.endswith(".h")):
        for world in worlds:
            if path.startswith(tuple(w for w in worlds if w != world)):
                continue
            wanted = [world] + [f for f in folders if f not in worlds]
            command = [*cc, "-std=gnu17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
                       "-Wno-unused-parameter", "-Wno-unused-function", "-x", "c", path]
            ran = subprocess.run(command + [f"-I{f}" for f in wanted], cwd=root, text=True,
                                 capture_output=True, check=False)
            if ran.returncode != 0:
                report.say(path, 1, "header", ran.stderr.strip().split("\n")[0])
                break


def read_tree(root):
    texts = {}
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(d for d in folders if d[0] != "." and not d.startswith("build") and
                            d not in ("corpus", "results", "__pycache__"))
        for name in sorted(files):
            path = os.path.relpath(os.path.join(folder, name), root)
            if name.endswith(SOURCE):
                with open(os.path.join(root, path), encoding="utf-8") as f:
                    texts[path] = f.read()
    return texts


def check_tree(root, cc):
    report = Report()
    texts = read_tree(root)
    headers = {}
    for path in texts:
        if path.endswith(".h"):
            stem = os.path.splitext(os.path.basename(path))[0]
            headers.setdefault(os.path.dirname(path), set()).add(stem)
    for path, text in texts.items():
        check_text(report, path, text)
        if path.endswith((".c", ".h")):
            check_banned(report, path, text)
            check_functions(report, path, text)
        if path.endswith(".h") and "/include/" in path:
            check_documented(report, path, text)
        if path.endswith(".c") and not path.startswith("tests/"):
            check_prefixes(report, path, text, headers.get(os.path.dirname(path), set()))
    check_owned(report, texts)
    check_dead(report, texts)
    check_asserts(report, texts)
    check_headers(report, root, texts, cc)
    return report, len(texts)


BAD_C = """int wrong(int a, int b, int c, int d, int e, int f, int g)
{
#if 1
    strcpy(a, b); /* TODO */
#endif
%s
    for (;;) {
        a++;
    }
}
""" % "\n".join("    a++;" for _ in range(70))
BAD_TREE = {
    "rt/core/bad.c": BAD_C + "\n" * 800 + "/* %s */\n" % ("x" * 100),
    "mempool/include/mempool/bad.h": "/* SPDX-License-Identifier: BSD-2-Clause */\n"
                                     "void pool_eat(struct buf *b_owned);\n\nint f(uint32_t);\n",
    "rt/host/include/rt/x.h": "/* SPDX-License-Identifier: BSD-2-Clause */\n",
}


def self_test(cc):
    with tempfile.TemporaryDirectory() as root:
        for path, text in BAD_TREE.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                f.write(text)
        report, _ = check_tree(root, cc)
    silent = sorted(set(WHY) - report.rules)
    print(f"tidy self-test: {len(report.rules)} of {len(WHY)} rules fired")
    if silent:
        sys.exit(f"rules that did not fire: {', '.join(silent)}")


def main():
    arguments = sys.argv[1:]
    cc = ["cc"]
    if arguments[:1] == ["--cc"]:
        cc, arguments = shlex.split(arguments[1]), arguments[2:]
    if arguments == ["--self-test"]:
        self_test(cc)
        return
    root = arguments[0] if arguments else os.path.join(os.path.dirname(__file__), "..")
    report, files = check_tree(os.path.abspath(root), cc)
    print(f"tidy: {files} files, {report.count} findings")
    sys.exit(1 if report.count else 0)


if __name__ == "__main__":
    main()
