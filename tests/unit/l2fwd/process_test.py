# SPDX-License-Identifier: BSD-2-Clause
"""Runs a program: process_test.py PROGRAM ARGUMENTS EXIT_CODE TEXT; the output has TEXT."""
import subprocess
import sys

program, arguments, code, text = sys.argv[1:5]
ran = subprocess.run([program] + arguments.split(), stdin=subprocess.DEVNULL,
                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, text=True,
                     check=False)
if ran.returncode != int(code) or text not in ran.stdout:
    print(ran.stdout)
    sys.exit(f"exit status {ran.returncode}, wanted {code} and {text!r}")
