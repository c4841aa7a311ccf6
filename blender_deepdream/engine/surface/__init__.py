# SPDX-License-Identifier: GPL-3.0-or-later
"""Dreaming textures through views of the surfaces that they lie on. Begin with `dream`."""
