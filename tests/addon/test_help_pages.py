# SPDX-License-Identifier: GPL-3.0-or-later
"""Every panel and every error leads to a page of the user guide that is there."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from blender_deepdream.addon import help_pages, panels
from blender_deepdream.protocol.errors import BY_CODE, CancelledError, NotFoundError, SceneError, UnknownBrainError
from scripts.help_anchors import slug

GUIDE = Path(__file__).parents[2] / "docs"


def leads_somewhere(page: str) -> bool:
    name, _, anchor = page.partition("#")
    lines = (GUIDE / f"{name}.md").read_text("utf-8").splitlines()
    headings = {slug(line.lstrip("# ")) for line in lines if line.startswith("#")}
    return not anchor or anchor in headings


@pytest.mark.parametrize("panel", [item.__name__ for item in panels.classes if issubclass(item, bpy.types.Panel)])
def test_every_panel_has_a_page(panel: str) -> None:
    assert leads_somewhere(help_pages.page_of(panel))


@pytest.mark.parametrize("code", BY_CODE)
def test_every_error_has_an_entry(code: str) -> None:
    page = help_pages.entry_of(code)
    assert "#" in page
    assert leads_somewhere(page)


def test_errors_of_one_kind_share_an_entry_and_unknown_ones_have_the_whole_page() -> None:
    assert help_pages.entry_of(SceneError.code) == "troubleshooting#the-scene-and-its-node"
    assert help_pages.entry_of(UnknownBrainError.code) == "troubleshooting#settings-brains-and-layers"
    assert help_pages.entry_of("of a newer server") == "troubleshooting"


def test_what_a_button_says_of_itself_leads_somewhere() -> None:
    _, manual = help_pages._manual()
    assert {page for _, page in help_pages._MANUAL if not leads_somewhere(page)} == set()
    assert all(url.startswith("file://") for _, url in manual)


@pytest.mark.parametrize(
    "asked, page",
    [
        ("bpy.ops.deepdream.dream_surface", "surfaces.md#in-blender"),
        ("bpy.ops.deepdream.dream_frame", "dream-a-render.md"),
        ("bpy.types.DeepDreamNodeSettings.strength", "dream-a-render.md#settings"),
        ("bpy.types.DeepDreamPreferences.url", "install.md"),
    ],
)
def test_blender_finds_the_page_for_a_right_click(asked: str, page: str) -> None:
    found = bpy.types.WM_OT_doc_view_manual._lookup_rna_url(asked, verbose=False)
    assert found.endswith(f"docs/{page}")


def test_the_operator_opens_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url, *_: opened.append(url) or True)
    assert bpy.ops.deepdream.show_help(page="looks#looks") == {"FINISHED"}
    assert opened == [(GUIDE / "looks.md").as_uri() + "#looks"]


def test_a_page_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFoundError, match="no help page"):
        help_pages.address("../../etc/passwd")
    with pytest.raises(RuntimeError, match="no help page"):
        bpy.ops.deepdream.show_help(page="nothing")


def test_an_error_tells_the_panel_its_code(scene: bpy.types.Scene) -> None:
    with pytest.raises(RuntimeError):
        bpy.ops.deepdream.quick_test()
    state = bpy.context.window_manager.deepdream
    assert state.code == SceneError.code != CancelledError.code
