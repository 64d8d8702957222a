# SPDX-License-Identifier: BSD-2-Clause
"""Tests: which there are, how they are run, what came of them."""
