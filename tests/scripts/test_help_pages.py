# SPDX-License-Identifier: GPL-3.0-or-later
"""The help pages that come with the extension."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "help_pages.py"


def write_pages(folder: Path) -> None:
    subprocess.run([sys.executable, SCRIPT, folder], check=True, timeout=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("help")
    write_pages(made)
    return made


@pytest.mark.parametrize("page", ["README", "install", "dream-a-render", "looks", "surfaces", "troubleshooting"])
def test_links_and_pictures_lead_to_what_is_there(folder: Path, page: str) -> None:
    html = (folder / f"{page}.html").read_text("utf-8")
    for target in re.findall(r'(?:href|src)="([^":]+)"', html):
        name, _, anchor = target.partition("#")
        assert (folder / (name or f"{page}.html")).is_file(), target
        if anchor:
            assert f'id="{anchor}"' in (folder / (name or f"{page}.html")).read_text("utf-8")


def test_headings_have_the_anchors_that_github_gives_them(folder: Path) -> None:
    assert '<h2 id="settings-brains-and-layers">' in (folder / "troubleshooting.html").read_text("utf-8")


def test_tables_are_tables(folder: Path) -> None:
    assert "<table>" in (folder / "troubleshooting.html").read_text("utf-8")


def test_the_same_guide_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_pages(tmp_path)
    for path in folder.rglob("*.*"):
        assert (tmp_path / path.relative_to(folder)).read_bytes() == path.read_bytes()
