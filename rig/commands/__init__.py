# SPDX-License-Identifier: BSD-2-Clause
"""One module a command of ./millrace."""
