# SPDX-License-Identifier: GPL-3.0-or-later
"""The dream itself: torch, numpy and OpenImageIO; no bpy, no HTTP. Begin reading at dream.py."""
