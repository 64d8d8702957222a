# SPDX-License-Identifier: BSD-2-Clause
"""Machines in QEMU: how they are made, booted and talked to."""
