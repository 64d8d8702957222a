# SPDX-License-Identifier: BSD-2-Clause
"""What the documents name is there: commands, files, links, boot arguments, code that compiles.
What the page for new users says to type is typed."""
import re
import shlex
import subprocess

import pytest

from rig import build, cli
from rig.commands import new
from rig.machine.console import Console
from rig.options import wrong

ROOT = build.ROOT
PAGES = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in sorted(
    {*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("pmd/*/README.md")})}
COLUMNS_MOST = 96
# Words of the pages that stand for something the reader chooses.
CHOSEN = {"B": "direct", "C": "1", "DIR": "dir", "NAME": "ring", "IF": "eth0", "N": "1000000",
          "MIB": "1024"}
LEAST = {"boot": ["--serve", "eth0"], "bench": ["l2fwd"], "run": ["l2fwd"], "new": ["dir"],
         "try": ["ring.elf"], "compare": ["dpdk"]}  # what a command alone lacks
ROOMS = ("rt", "mempool", "pmd", "apps", "model", "compare", "rig", "tests", "docs", "tools")
INCLUDES = ("rt/include", "rt/x86/include", "mempool/include", "pmd/include", "tcp/include",
            "apps/kit/include")
# -Wunused: pieces of a page are not called.
COMPILE = ["gcc", "-std=gnu17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-unused",
           "-Wno-unused-parameter", "-x", "c", "-include", "kit/kit.h", "-include", "string.h",
           *(f"-I{ROOT / folder}" for folder in INCLUDES), "-"]


def pieces(text, language=""):
    """Fenced pieces of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def prose(text):
    """A page without fenced pieces, tables and indented code."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return [line for line in text.splitlines() if not line.startswith(("|", "    "))]


def commands():
    """[(page, words)] of each ./millrace command with its words."""
    found = []
    for page, text in PAGES.items():
        for line in re.findall(r"(?:\./|/)millrace ([a-z][^`\n]*)", text):
            words = shlex.split(line, comments=True)
            found.append((page, [CHOSEN.get(word, word) for word in words]))
    return found


@pytest.mark.parametrize("page, words", commands())
def test_commands_are_understood(page, words, monkeypatch):
    monkeypatch.chdir(ROOT)
    if words[0] == "help":
        assert words[1] in cli.COMMANDS
        return
    if len(words) == 1:  # a sentence about a command
        words = [*words, *LEAST.get(words[0], [])]
    parsed = cli.parser().parse_args(words)
    assert wrong(parsed) is None


def boot_arguments():
    """Names of docs/boot-args.md, and which are live."""
    rows = re.findall(r"^\| `([\w.]+)` \|[^|]*\|.*?\| (live)? ?\|", PAGES["docs/boot-args.md"]
                      .replace("\\|", "/"), re.M)
    return {name: live == "live" for name, live in rows}


def test_boot_arguments_are_there():
    """Each word NAME=VALUE in a command's --args or -append, and each `set NAME=`."""
    known, used = boot_arguments(), []
    assert known["poll"] and not known["ports"]
    for page, text in PAGES.items():
        for words in re.findall(r"(?:--args|-append|--command-line)[ =]\"([^\"]*=[^\"]*)\"", text):
            used += [(page, word.partition("=")[0]) for word in words.split() if word != "..."]
        lives = re.findall(r"`set (\w+)=", text)
        lives = [name for name in lives if f".name = \"{name}\"" not in text]  # its own
        assert all(known[name] for name in lives if name != "name"), (page, lives)
    strange = [one for one in used if one[1] not in known and one[1] != "name"]
    assert len(used) > 5 and not strange


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[page]):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("page", PAGES)
def test_files_are_there(page):
    """Each `folder/file` of this tree, also with a star, and each header as it is included."""
    spoken = re.findall(rf"[`<]((?:{'|'.join(ROOMS)}|kit)/[\w./*-]*)[`>]", PAGES[page])
    places = [ROOT, *(ROOT / folder for folder in (*INCLUDES, "model/include"))]
    assert not [name for name in spoken if not
                any(list(place.glob(name.rstrip("/"))) for place in places)]


def test_the_index_names_every_page():
    named = set(re.findall(r"\]\(([\w./-]+)\)", PAGES["docs/README.md"]))
    pages = {page.removeprefix("docs/") if page.startswith("docs/") else f"../{page}"
             for page in PAGES} - {"README.md", "../README.md"}
    assert pages <= named, pages - named


@pytest.mark.parametrize("page", PAGES)
def test_lines_are_short(page):
    """Two files fit side by side; tables and code are as wide as they are."""
    wide = [line for line in prose(PAGES[page]) if len(line) > COLUMNS_MOST and " " in line.strip()]
    assert not wide


@pytest.mark.parametrize("page", [page for page, text in PAGES.items() if pieces(text, "c") and
                                  page != "docs/tutorial.md"])
def test_code_compiles(page):
    """All pieces of a page, one behind the other as a reader has them. Those of the tutorial are
    changes to its application: test_new.py builds and runs it with them."""
    ran = subprocess.run(COMPILE, input="\n".join(pieces(PAGES[page], "c")), text=True,
                         capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_the_stack_shows_an_application():
    """The very one that test_hello.py runs."""
    shown = pieces(PAGES["docs/tcp.md"], "c")[-1]
    assert shown == (ROOT / "apps" / "hello" / "main.c").read_text(encoding="utf-8")


def test_the_tutorial_types_what_new_prints():
    """test_new.py runs the printed commands."""
    typed = [line.replace("~/millrace", "{root}").replace("~/count", "{folder}")
             for line in pieces(PAGES["docs/tutorial.md"])[0].splitlines()]
    printed = new.NEXT.format(folder="{folder}", name="count", root="{root}")
    assert typed[0] == "./millrace new {folder}"
    assert [line.strip() for line in printed.splitlines() if line.strip() in typed] == typed[1:]


def test_getting_started_talks_to_the_machine(build_dir):
    """The line for QEMU as it stands there, then the commands that the page names."""
    text = PAGES["docs/getting-started.md"]
    line = next(piece for piece in pieces(text) if piece.startswith("qemu-system"))
    words = [word.replace("build/", f"{build_dir}/") for word in shlex.split(line)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as qemu:
        try:
            console = Console(qemu.stdout.fileno(), qemu.stdin.fileno(), patience=6)
            console.wait_for(r"^l2fwd state=forwarding boot_us=\d+", 20)
            for command, answer in (("help", r"counters"), ("stats", r"^stat port=1"),
                                    ("args", r"spin_us=200"), ("set spin_us=500", r"spin_us=500"),
                                    ("memory", r"^memory used_bytes"), ("stop", r"^exit code=0")):
                assert f"`{command}`" in text, command
                mark = console.mark()
                console.send(command)
                console.wait_for(answer, 10, since=mark)
            assert qemu.wait(60) == 0
        finally:
            qemu.kill()
