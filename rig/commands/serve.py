# SPDX-License-Identifier: BSD-2-Clause
"""Serves the image to real machines by PXE: `./millrace boot --serve IF`.

The network keeps its own DHCP server: dnsmasq only adds the boot file (proxy DHCP) and TFTP.
What firmware loads first is iPXE; iPXE loads boot.ipxe, and that the image, by HTTP.
"""
import contextlib
import errno
import fcntl
import functools
import http.server
import ipaddress
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading

from .. import build, setup
from ..apps import L2FWD

SCRIPTS = build.ROOT / "rig" / "ipxe"
# From Debian's package ipxe: for BIOS, and for UEFI.
LOADERS = {n: f"/usr/lib/ipxe/{n}" for n in ("undionly.kpxe", "ipxe.efi", "snponly.efi")}
HTTP_PORT, DHCP_PORT = 8069, 67
RUN_FOLDER = "/run"  # where it may be written; else TMPDIR
START_S = 10  # dnsmasq has said "started" long before
X86_ARCHS = (0, 7, 9)  # RFC 4578 2.1 and its errata: BIOS, UEFI x86-64 (two numbers are in use)
MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")
# What iPXE would take for itself in the line that sets `args`.
SCRIPT_SIGNS = re.compile(r"#|&&|\|\||\$\{|[^ -~]")
# Ends dnsmasq and removes the folder when its standard input closes: when we are gone, however.
WATCHER = 'read _; kill "$1"; rm -rf -- "$2"'


class ServeError(Exception):
    """Something the user has to change; its text says what."""


def interface_network(interface):
    """(address, network) of an interface, IPv4."""
    done = subprocess.run(["ip", "-j", "-4", "address", "show", "dev", interface],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServeError(f"no network interface {interface}: see `ip link`")
    for link in json.loads(done.stdout or "[]"):
        for entry in link.get("addr_info", []):
            both = ipaddress.ip_interface(f"{entry['local']}/{entry['prefixlen']}")
            return both.ip, both.network
    raise ServeError(f"{interface} has no IPv4 address: give it one, e.g. "
                     f"ip address add 192.168.7.1/24 dev {interface}")


def check_args(args):
    """iPXE reads the arguments as part of a script."""
    found = SCRIPT_SIGNS.search(args)
    if found:
        raise ServeError(f"--args: {found.group()!r} cannot stand there, the iPXE script would "
                         "be cut at it")


def check_macs(macs):
    """The addresses as dnsmasq wants them."""
    plain = [mac.lower().replace("-", ":") for mac in macs]
    for mac in plain:
        if not MAC.fullmatch(mac):
            raise ServeError(f"--mac {mac}: wanted is 52:54:00:12:34:56")
    return plain


def config_script(image_name, args, address):
    """config.ipxe: what this run wants, for boot.ipxe."""
    return (f"#!ipxe\nset image {image_name}\nset base http://{address}:{HTTP_PORT}/\n"
            f"set args {args}\n")


def make_folder():
    """(path, lock) of a folder that every user can reach and no cleaner of old files empties.

    systemd-tmpfiles leaves a folder alone that somebody holds a lock on.
    """
    parent = RUN_FOLDER if os.access(RUN_FOLDER, os.W_OK) else None
    folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-serve-", dir=parent))
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_SH)
    folder.chmod(0o755)
    return folder, lock


def check_reachable(folder):
    """dnsmasq reads as a user without rights."""
    for parent in folder.resolve().parents:
        if parent.stat().st_mode & 0o001 == 0:
            raise ServeError(f"{parent} is closed to other users, so dnsmasq cannot read below "
                             "it: set TMPDIR to a folder that everybody may enter")


def fill_folder(folder, image_path, args, address):
    """All files a machine asks for, readable for the server's own user."""
    if not os.path.isfile(image_path):
        raise ServeError(f"no image {image_path}: run ./millrace build")
    with open(image_path, "rb") as file:
        if file.read(4) == b"\x7fELF":
            raise ServeError(f"{image_path}: firmware loads NAME.img, which lies beside NAME.elf")
    image_name = os.path.basename(image_path)
    shutil.copyfile(image_path, folder / image_name)
    for file in SCRIPTS.iterdir():  # ours, and what the user put there for single machines
        if file.is_file():
            shutil.copyfile(file, folder / file.name)
    for name, source in LOADERS.items():
        if os.path.exists(source):
            shutil.copyfile(source, folder / name)
        elif name != "snponly.efi":
            raise ServeError(f"{source} is missing: apt-get install ipxe")
    (folder / "config.ipxe").write_text(config_script(image_name, args, address),
                                        encoding="ascii")
    for file in folder.iterdir():  # whatever our umask is
        file.chmod(0o644)


def boot_options(folder, macs):
    """What dnsmasq answers to machines: also for a server that runs already."""
    options = [f"dhcp-match=set:x86,option:client-arch,{arch}" for arch in X86_ARCHS]
    options += ["dhcp-ignore=tag:!x86"]  # a Raspberry Pi, an ARM server: silence
    options += [f"dhcp-mac=set:wanted,{mac}" for mac in macs]
    options += ["dhcp-ignore=tag:!wanted"] if macs else []
    return options + [
        "enable-tftp", f"tftp-root={folder}",
        # option 175: iPXE asks; it gets the script, plain firmware gets iPXE
        "dhcp-match=set:ipxe,175", "pxe-prompt=millrace,0",
        "pxe-service=tag:!ipxe,x86PC,millrace,undionly.kpxe",
        "pxe-service=tag:!ipxe,BC_EFI,millrace,ipxe.efi",
        "pxe-service=tag:!ipxe,X86-64_EFI,millrace,ipxe.efi",
        "pxe-service=tag:ipxe,x86PC,millrace,boot.ipxe",
        "pxe-service=tag:ipxe,BC_EFI,millrace,boot.ipxe",
        "pxe-service=tag:ipxe,X86-64_EFI,millrace,boot.ipxe",
        "dhcp-boot=tag:ipxe,boot.ipxe"]


def find_dnsmasq():
    """Its path, or None. `su` without a dash leaves administrators' folders out of PATH."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    return shutil.which("dnsmasq", path=path)


def dnsmasq_command(interface, network, folder, macs=()):
    """Proxy DHCP (never hands out addresses) and TFTP on one interface."""
    return [find_dnsmasq() or "dnsmasq", "--keep-in-foreground",
            "--log-facility=-", "--conf-file=/dev/null", "--port=0",
            f"--interface={interface}", "--bind-dynamic", "--log-dhcp",
            f"--pid-file={folder}/dnsmasq.pid",
            f"--dhcp-range={network.network_address},proxy,{network.netmask}"] + \
        ["--" + option for option in boot_options(folder, macs)]


def claim(interface):
    """A socket that one server of an interface can have, for as long as it lives."""
    name = f"\0millrace-serve-{interface}"
    holder = socket.socket(socket.AF_UNIX)
    try:
        holder.bind(name)
        holder.listen()
        return holder
    except OSError as error:
        holder.close()
        if error.errno != errno.EADDRINUSE:
            raise
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(name)
        size = struct.calcsize("3i")
        pid = struct.unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED,
                                                    size))[0]
    raise ServeError(f"{interface} is served already, by process {pid}: stop that one first")


def port_holder(port):
    """Who has a UDP port, in words."""
    done = subprocess.run(["ss", "-Hulpn", "sport", "=", f":{port}"], capture_output=True,
                          text=True, check=False)
    found = re.search(r'\("([^"]+)",pid=(\d+)', done.stdout)
    return f"{found.group(1)}, process {found.group(2)}" if found else "another program"


def check_dhcp_port(interface, folder, macs):
    """With two servers on port 67 the kernel gives a unicast renewal to one of them only."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
            probe.bind(("", DHCP_PORT))
            return
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise ServeError(f"port {DHCP_PORT} of {interface}: "
                                 f"{error.strerror}") from error
    lines = "".join(f"    {option}\n" for option in boot_options("FOLDER", macs))
    raise ServeError(
        f"port {DHCP_PORT} of {interface} is in use ({port_holder(DHCP_PORT)}): a second "
        "server here would take the renewals of its clients.\nLet that server boot the machines "
        f"instead. Make the folder with --print; dnsmasq then needs these lines:\n{lines}"
        "Any other server: next-server = this host, which serves FOLDER by TFTP, and the file "
        "undionly.kpxe (BIOS) or ipxe.efi (UEFI), for iPXE itself boot.ipxe.")


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """One line for each file."""

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        print(f"http client={self.client_address[0]} " + format % args, flush=True)


def explain(command, folder, address):
    print(f"serve folder={folder} http=http://{address}:{HTTP_PORT}/ tftp=tftp://{address}/")
    print("serve dnsmasq: " + shlex.join(command))
    for name in ("config.ipxe", "boot.ipxe"):
        print(f"---- {name}")
        print((folder / name).read_text(encoding="ascii"), end="")
    print("----", flush=True)


class Dnsmasq:
    """dnsmasq as a child that does not outlive us. Its lines are passed on."""

    def __init__(self, command, folder):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        # It changes its user, which clears a parent-death signal: hence a process that waits
        # for the end of a pipe that only we hold.
        self.watcher = subprocess.Popen(
            ["sh", "-c", WATCHER, "watcher", str(self.process.pid), str(folder)],
            stdin=subprocess.PIPE, start_new_session=True)
        self.settled = threading.Event()  # it serves, or it has ended
        self.serving = False
        self.last_line = ""
        self.reader = threading.Thread(target=self._pass_on, daemon=True)
        self.reader.start()

    def _pass_on(self):
        for line in self.process.stdout:
            print(line, end="", flush=True)
            self.last_line = line.strip()
            if ": started, version " in line:
                self.serving = True
                self.settled.set()
        self.settled.set()

    def wait_serving(self):
        """ServeError when it does not come to that."""
        if not self.settled.wait(START_S):
            raise ServeError(f"dnsmasq has not started within {START_S} s")
        if not self.serving:
            raise ServeError(f"dnsmasq ended at once: {self.last_line}")

    def close(self):
        """The watcher first: the process id is dnsmasq's until we have waited for it."""
        self.watcher.kill()
        self.watcher.wait()
        self.watcher.stdin.close()
        self.process.terminate()
        self.process.wait()
        self.reader.join(1)


@contextlib.contextmanager
def signals_interrupt():
    """SIGTERM, and SIGHUP of a closed terminal, end us as Ctrl-C does."""
    def stop(*_):
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def web_server(folder, address):
    """Started; the caller closes it."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    try:
        web = http.server.ThreadingHTTPServer((str(address), HTTP_PORT), handler)
    except OSError as error:
        raise ServeError(f"port {HTTP_PORT} on {address}: {error.strerror}") from error
    threading.Thread(target=web.serve_forever, daemon=True).start()
    return web


def run_servers(command, folder, address):
    """Until Ctrl-C, SIGTERM, SIGHUP or the end of dnsmasq. Returns the exit status."""
    web = web_server(folder, address)
    dnsmasq = None
    try:
        dnsmasq = Dnsmasq(command, folder)
        dnsmasq.wait_serving()
        print("serve state=running stop=Ctrl-C", flush=True)
        return dnsmasq.process.wait()
    finally:
        if dnsmasq:
            dnsmasq.close()
        web.shutdown()
        web.server_close()


def check_rights():
    """What running, not printing, needs."""
    if not find_dnsmasq():
        raise ServeError("dnsmasq is missing: apt-get install dnsmasq-base")
    if os.geteuid() != 0:
        raise ServeError("DHCP and TFTP use ports below 1024: run as root, or see --print and "
                         "run that dnsmasq command as root")


def refused(interface, args, print_only, macs):
    """What can be said before there is an image: None, or the exit status, and it was said."""
    try:
        check_macs(macs)
        check_args(args)
        interface_network(interface)
        if not print_only:
            check_rights()
    except ServeError as error:
        print(f"serve: {error}", file=sys.stderr)
        return 2
    return None


def serve_folder(interface, image_path, args, print_only, macs):
    """Returns the exit status; the folder stays when nothing but it was wanted."""
    macs = check_macs(macs)
    check_args(args)
    address, network = interface_network(interface)
    holder = None if print_only else claim(interface)
    folder, lock = make_folder()
    keep = False
    try:
        check_reachable(folder)
        fill_folder(folder, image_path, args, address)
        command = dnsmasq_command(interface, network, folder, macs)
        explain(command, folder, address)
        if print_only:
            keep = True
            return 0
        check_rights()
        check_dhcp_port(interface, folder, macs)
        return run_servers(command, folder, address)
    finally:
        os.close(lock)
        if holder:
            holder.close()
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def serve(interface, image_path, args, print_only, macs=()):
    """Serves `image_path` on `interface` until stopped; returns the exit status.

    `print_only` makes the folder, prints what would run, and leaves it there. `macs`: the
    machines that get an answer; none: all of the network.
    """
    with signals_interrupt():
        try:
            return serve_folder(interface, image_path, args, print_only, macs)
        except ServeError as error:
            print(f"serve: {error}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            return 0


def add_parser(commands):
    """The command's arguments, for rig/cli.py."""
    one = commands.add_parser("boot", help="serve the image to a real rig by PXE")
    one.add_argument("--serve", metavar="IF", required=True, help="network interface")
    one.add_argument("--image", help="file to serve (l2fwd.img)")
    one.add_argument("--args", default="", help="boot arguments")
    one.add_argument("--mac", action="append", default=[], metavar="MAC", dest="macs",
                     help="answer only this machine (may be repeated); without it: every one")
    one.add_argument("--print", dest="print_only", action="store_true",
                     help="only print what would be served and how")


def main(options, say):
    """Runs the command."""
    status = refused(options.serve, options.args, options.print_only, options.macs)
    if status is not None:
        return status
    setup.ensure(("build",), say)
    image = options.image
    if not image:
        elf = build.find_image(build.build("build", say), L2FWD.name)
        image = str(pathlib.Path(elf).with_suffix(".img"))
    return serve(options.serve, image, options.args, options.print_only, options.macs) or 0
