# SPDX-License-Identifier: GPL-3.0-or-later
"""The anchors of headings."""

from __future__ import annotations

import re


def slug(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
