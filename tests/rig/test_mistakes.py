# SPDX-License-Identifier: BSD-2-Clause
"""Slips in what is typed for an application with a network stack, and what is said of them: the
thing, and what to type instead. It runs as a Linux process; a pipe to nobody is its port."""
import subprocess

import pytest

LIMIT_S = 60
NOBODY = "ports=(pipe:6)"
BY_HAND = "192.0.2.1:::255.255.255.0"


def run_echo(build_dir, *words, typed=""):
    """(exit status, what was said)"""
    ran = subprocess.run([build_dir / "apps" / "echo_process", "cores=1", *words], input=typed,
                         text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         timeout=LIMIT_S, check=False)
    return ran.returncode, ran.stdout


@pytest.mark.parametrize("words, status, says", [
    *(([NOBODY, f"ip={ip}"], 2, ["neither dhcp nor off", BY_HAND])
      for ip in ("", "dchp", "192.0.2.1/24", "2001:db8::1/64", "300.0.2.1:::255.255.255.0")),
    ([NOBODY, "ip=192.0.2.1"], 2, ["has no mask", BY_HAND]),
    ([NOBODY, "ip=192.0.2.1::198.51.100.1:255.255.255.0"], 2, ["gateway", "same subnet"]),
    ([NOBODY, "ip6=2001:db8::1"], 2, ["prefix behind it", "2001:db8::1/64"]),
    ([NOBODY, f"ip={BY_HAND}::3", "run_s=1"], 0,
     ["port=0 ip=none warning=", "client::gateway:mask::0"]),
    ([NOBODY, "connect_count=5"], 2, ["connect_count=5", "remedy=connect=ADDRESS"]),
    ([], 4, ["ports=(tap:tap0)"]),
    (["ports=tap:tap0"], 4, ["ports=(tap:tap0)", 'ports="tap:tap0"']),
    (["ports=(tun:tap0)"], 4, ['ports="(tun:tap0)"']),
    (["ports=(tap:a_name_of_16_char)"], 5, ["a_name_of_16_char", "1 to 15 characters"])])
def test_what_is_said_of_a_slip(build_dir, words, status, says):
    code, text = run_echo(build_dir, *words)
    assert code == status and not [word for word in says if word not in text], text


def test_a_line_needs_one_core(build_dir):
    ran = subprocess.run([build_dir / "apps" / "l2fwd_process", "cores=2", "mode=io",
                          "ports=(pipe:6+loss_ppm=10000,pipe:8)"], text=True, check=False,
                         stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=LIMIT_S)
    assert ran.returncode == 5 and 'remedy="cores=1: ' in ran.stdout, ran.stdout


def test_nobody_gives_an_address(build_dir):
    """`net` says that there is none, and after ten seconds a line by itself, once."""
    code, text = run_echo(build_dir, NOBODY, "run_s=12", typed="net\n")
    assert code == 0 and "core=0 port=0 ip=none" in text and "dhcp=waiting" in text, text
    assert text.count('warning="no address yet') == 1 and "or an address by hand: ip=" in text
