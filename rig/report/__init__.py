# SPDX-License-Identifier: BSD-2-Clause
"""What is kept and shown of a run."""
