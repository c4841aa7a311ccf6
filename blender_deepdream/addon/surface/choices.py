# SPDX-License-Identifier: GPL-3.0-or-later
"""What artists choose, as far as it is known by name."""

from __future__ import annotations

OWN_CAMERA = "CAMERA"
"""The spread of views that the scene's own camera takes."""
WHOLE = "WHOLE"
"""The light of views before their real background, with all that the scene has."""
