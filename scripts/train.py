# SPDX-License-Identifier: GPL-3.0-or-later
"""Train a brain on a folder of pictures, which may be rendered from a scene first.

    blender -b -P scripts/train.py -- pictures --name mine
    blender -b shot.blend -P scripts/train.py -- pictures --name mine --objects Cup Spoon --render count=40
    python scripts/train.py pictures --name mine --set epochs=20        (with the bpy wheel)

The work is in blender_deepdream/addon/batch_train.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import render

if __name__ == "__main__":
    render.end(render.main("batch_train"))
