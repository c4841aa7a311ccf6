# SPDX-License-Identifier: GPL-3.0-or-later
"""Dreaming the textures of objects through many rendered views of them. Begin with `job`."""
