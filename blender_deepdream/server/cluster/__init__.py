# SPDX-License-Identifier: GPL-3.0-or-later
"""The same wire on Ray Serve, over many machines: `deepdream serve --cluster`. Ray is imported here alone."""
