# SPDX-License-Identifier: BSD-2-Clause
"""Serves the image to real machines by PXE: `./millrace boot --serve IF`.

The network keeps its own DHCP server: dnsmasq only adds the boot file (proxy DHCP) and TFTP.
What firmware loads first is iPXE; iPXE loads boot.ipxe, and that the image, by HTTP.
"""
import functools
import http.server
import ipaddress
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

SCRIPTS = pathlib.Path(__file__).resolve().parent / "ipxe"
# From Debian's package ipxe: for BIOS, and for UEFI.
LOADERS = {"undionly.kpxe": "/usr/lib/ipxe/undionly.kpxe", "ipxe.efi": "/usr/lib/ipxe/ipxe.efi",
           "snponly.efi": "/usr/lib/ipxe/snponly.efi"}
HTTP_PORT = 8069


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


def config_script(image_name, args, address):
    """config.ipxe: what this run wants, for boot.ipxe."""
    return (f"#!ipxe\nset image {image_name}\nset base http://{address}:{HTTP_PORT}/\n"
            f"set args {args}\n")


def fill_folder(folder, image_path, args, address):
    """All files a machine asks for, readable for the server's own user."""
    if not os.path.isfile(image_path):
        raise ServeError(f"no image {image_path}: run ./millrace build")
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
    folder.chmod(0o755)


def dnsmasq_command(interface, network, folder):
    """Proxy DHCP (never hands out addresses) and TFTP on one interface."""
    return ["dnsmasq", "--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null",
            "--port=0", f"--interface={interface}", "--bind-dynamic", "--log-dhcp",
            f"--pid-file={folder}/dnsmasq.pid",
            f"--dhcp-range={network.network_address},proxy,{network.netmask}",
            "--enable-tftp", f"--tftp-root={folder}",
            # option 175: iPXE asks; it gets the script, plain firmware gets iPXE
            "--dhcp-match=set:ipxe,175", "--pxe-prompt=millrace,0",
            "--pxe-service=tag:!ipxe,x86PC,millrace,undionly.kpxe",
            "--pxe-service=tag:!ipxe,BC_EFI,millrace,ipxe.efi",
            "--pxe-service=tag:!ipxe,X86-64_EFI,millrace,ipxe.efi",
            "--pxe-service=tag:ipxe,x86PC,millrace,boot.ipxe",
            "--pxe-service=tag:ipxe,BC_EFI,millrace,boot.ipxe",
            "--pxe-service=tag:ipxe,X86-64_EFI,millrace,boot.ipxe",
            "--dhcp-boot=tag:ipxe,boot.ipxe"]


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


def run_servers(command, folder, address):
    """Until Ctrl-C, SIGTERM or the end of dnsmasq. Returns the exit status."""
    def stop(*_):
        raise KeyboardInterrupt

    handler = functools.partial(QuietHandler, directory=str(folder))
    try:
        web = http.server.ThreadingHTTPServer((str(address), HTTP_PORT), handler)
    except OSError as error:
        raise ServeError(f"port {HTTP_PORT} on {address}: {error.strerror}") from error
    threading.Thread(target=web.serve_forever, daemon=True).start()
    before = signal.signal(signal.SIGTERM, stop)
    dnsmasq = None
    try:
        dnsmasq = subprocess.Popen(command)
        print("serve state=running stop=Ctrl-C", flush=True)
        return dnsmasq.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGTERM, before)
        if dnsmasq:
            dnsmasq.terminate()
            dnsmasq.wait()
        web.shutdown()
        web.server_close()


def serve(interface, image_path, args, print_only):
    """Serves `image_path` on `interface` until stopped; returns the exit status.

    `print_only` makes the folder, prints what would run, and leaves it there.
    """
    folder = None
    try:
        address, network = interface_network(interface)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-serve-"))
        fill_folder(folder, image_path, args, address)
        command = dnsmasq_command(interface, network, folder)
        explain(command, folder, address)
        if print_only:
            folder = None
            return 0
        if not shutil.which("dnsmasq"):
            raise ServeError("dnsmasq is missing: apt-get install dnsmasq-base")
        if os.geteuid() != 0:
            raise ServeError("DHCP and TFTP use ports below 1024: run as root, "
                             "or run the dnsmasq command above as root")
        return run_servers(command, folder, address)
    except ServeError as error:
        print(f"serve: {error}", file=sys.stderr)
        return 1
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
