# SPDX-License-Identifier: BSD-2-Clause
"""What is measured on a machine: traffic, rates, instructions, the host's share."""
