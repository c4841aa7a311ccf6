# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP and the command line: the only place that knows both the wire and the engine."""
