# SPDX-License-Identifier: GPL-3.0-or-later
"""What both sides of the wire share. Standard library and numpy only: this package also runs inside Blender."""
