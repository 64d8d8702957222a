# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace new DIR`: an application outside this tree, with the clone as a subproject."""
import os
import pathlib
import re
import shlex

from .. import setup
from ..build import ROOT

MESON_BUILD = """\
# {name}: an application on millrace. subprojects/millrace is the clone that made this folder.
project('{name}', 'c',
  default_options: ['c_std=gnu17', 'warning_level=2', 'buildtype=release', 'optimization=2',
                    'debug=true', 'b_staticpic=false', 'b_pie=false'])
millrace = subproject('millrace', default_options: ['werror=false'])
sources = files('main.c')

# {name}.elf (qemu -kernel, gdb) and {name}.img (iPXE, GRUB, UEFI firmware).
linked = executable('{name}.link.elf', sources,
  dependencies: millrace.get_variable('image_dep'))
custom_target('{name}-image', input: linked, output: ['{name}.elf', '{name}.img'],
  command: millrace.get_variable('image_finish'), build_by_default: true)

# The same as a Linux process.
executable('{name}', sources, dependencies: millrace.get_variable('process_dep'))
"""
GITIGNORE = """\
/build*/
/subprojects/millrace
"""
NEXT = """\
made {folder}:
  main.c                 counts the frames that arrive by EtherType; change it
  meson.build            makes {name}.elf, {name}.img and {name}, a Linux process
  subprojects/millrace   a link to {root}
  .gitignore             neither of the link nor of what is built
next:
  cd {folder}
  meson setup build
  ninja -C build
  {root}/millrace try build/{name}.elf
main.c is explained in {root}/docs/tutorial.md"""

EXAMPLE = ROOT / "apps" / "ethertypes" / "main.c"
# Meson's own targets, and the folder of its subprojects with the one in it.
TAKEN = ("all", "benchmark", "clean", "coverage", "cscope", "ctags", "dist", "etags", "install",
         "millrace", "phony", "reconfigure", "subprojects", "test", "uninstall")
RULES = "small letters, digits and _, a letter first"


def refused(folder):
    """Why the folder cannot be made; None when it can."""
    name = folder.name
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        return f"the folder's name {name!r} becomes that of a program: {RULES}"
    if name in TAKEN:
        return f"the folder's name {name!r} becomes that of a program, and Meson or millrace " \
               "has that name already"
    if folder.resolve().is_relative_to(ROOT):
        return f"{folder} lies in millrace itself: an application has a folder outside of {ROOT}"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        return f"{folder} is there already and is not an empty folder"
    return None


def new(folder, say):
    """Writes the folder; returns the exit status."""
    folder = pathlib.Path(os.path.abspath(pathlib.Path(folder).expanduser()))
    name = folder.name
    why = refused(folder)
    if why:
        say(f"new: {why}")
        return 2
    (folder / "subprojects").mkdir(parents=True)
    (folder / "subprojects" / "millrace").symlink_to(ROOT)
    (folder / "main.c").write_text(EXAMPLE.read_text().replace("ethertypes", name))
    (folder / "meson.build").write_text(MESON_BUILD.format(name=name))
    (folder / ".gitignore").write_text(GITIGNORE)
    say(NEXT.format(folder=shlex.quote(str(folder)), name=name, root=shlex.quote(str(ROOT))))
    return 0


def add_parser(commands):
    one = commands.add_parser("new", help="begin an application of your own, outside this tree")
    one.add_argument("folder", metavar="DIR", help="its folder, new or empty, outside this tree; "
                     f"the last part is the program's name: {RULES}")
    one.description = "Writes main.c (an application that counts frames), meson.build and a link " \
                      "to this clone into DIR, and prints the commands that build and boot it."


def main(options, say):
    """Returns the exit status."""
    setup.ensure(("build", "run"), say)
    return new(options.folder, say)
