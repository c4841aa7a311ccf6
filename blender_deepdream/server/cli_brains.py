# SPDX-License-Identifier: GPL-3.0-or-later
"""`deepdream brains`: which there are, and the layers of one."""

from __future__ import annotations

import json

from ..engine import zoo


def list_brains(as_json: bool) -> None:
    """One line for each brain."""
    for brain in zoo.list_brains():
        print(json.dumps(brain.to_json()) if as_json else f"{brain.name:12} {brain.title} ({brain.licence})")


def show_brain(name: str, as_json: bool) -> None:
    """All there is to know of one brain. Raises UnknownBrainError."""
    brain = zoo.find_brain(name)
    if as_json:
        print(json.dumps(brain.to_json()))
        return
    print(f"{brain.name}: {brain.title}\nlicence: {brain.licence}\nweights: sha256 {brain.id}\nlayers:")
    for layer in brain.layers:
        print(f"  {layer}{' (default)' if layer in dict(brain.default_layers) else ''}")
