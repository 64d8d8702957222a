# SPDX-License-Identifier: BSD-2-Clause
"""Behind ./millrace: the command line, builds, and what has to be installed."""
