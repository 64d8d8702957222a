# SPDX-License-Identifier: BSD-2-Clause
"""Behind ./millrace: QEMU machines, PXE, traffic, counts, reports. Standard library only."""
