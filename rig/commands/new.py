# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace new DIR`: an application outside this tree, with the clone as a subproject."""
import pathlib
import re

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
NEXT = """\
made {folder}:
  main.c                 counts the frames that arrive by EtherType; change it
  meson.build            makes {name}.elf, {name}.img and {name}, a Linux process
  subprojects/millrace   a link to {root}
next:
  cd {folder}
  meson setup build
  ninja -C build
  {root}/millrace try build/{name}.elf
main.c is explained in {root}/docs/tutorial.md"""

EXAMPLE = ROOT / "apps" / "ethertypes" / "main.c"


def new(folder, say):
    """Writes the folder; returns the exit status."""
    folder = pathlib.Path(folder).expanduser().absolute()
    name = folder.name
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in ("millrace", "subprojects"):
        say(f"new: {name!r} becomes the name of a program: small letters, digits and _ only")
        return 2
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        say(f"new: {folder} is there already and is not an empty folder")
        return 2
    (folder / "subprojects").mkdir(parents=True)
    (folder / "subprojects" / "millrace").symlink_to(ROOT)
    (folder / "main.c").write_text(EXAMPLE.read_text().replace("ethertypes", name))
    (folder / "meson.build").write_text(MESON_BUILD.format(name=name))
    say(NEXT.format(folder=folder, name=name, root=ROOT))
    return 0


def add_parser(commands):
    one = commands.add_parser("new", help="begin an application of your own, outside this tree")
    one.add_argument("folder", metavar="DIR", help="its folder; the last part is its name")


def main(options, say):
    """Returns the exit status."""
    setup.ensure(("build", "run"), say)
    return new(options.folder, say)
