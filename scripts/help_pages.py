# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the help pages that come with the extension out of the user guide, with the pictures that they show.

    .venv/bin/python scripts/help_pages.py FOLDER

Headings get the anchors that GitHub gives them, so that one address works in both. The same guide gives the same bytes.
"""

from __future__ import annotations

import itertools
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from help_anchors import slug
from markdown_it import MarkdownIt
from markdown_it.token import Token

GUIDE = Path(__file__).resolve().parents[1] / "docs"
PAGES = ("README", "install", "dream-a-render", "looks", "dream-an-image", "surfaces", "training", "troubleshooting")
"""Those for artists."""
_FRAME = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em }}
body {{ color: #ddd; background: #222 }}
a {{ color: #8bd }} img {{ max-width: 100% }} code {{ background: #333; padding: 0 .2em }} pre {{ overflow: auto }}
table {{ border-collapse: collapse }}
td {{ border-top: 1px solid #444; padding: .4em .8em .4em 0; vertical-align: top }}
:target {{ background: #345 }}
</style>
<p><a href="README.html">DeepDream: user guide</a></p>
{body}
</html>
"""


def write_pages(folder: Path) -> None:
    """Each page as FOLDER/<name>.html, pictures where it looks for them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PAGES:
        tokens = parsed((GUIDE / f"{name}.md").read_text("utf-8"))
        title = next(_text(tokens[index + 1]) for index, token in enumerate(tokens) if token.type == "heading_open")
        for part in _inside(tokens):
            _lead(part, folder)
        body = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
        (folder / f"{name}.html").write_text(_FRAME.format(title=title, body=body), "utf-8")


def parsed(source: str) -> Sequence[Token]:
    tokens = _MARKDOWN.parse(source)
    for heading, words in itertools.pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrs["id"] = slug(_text(words))
    return tokens


_MARKDOWN = MarkdownIt("commonmark").enable("table")


def _inside(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from token.children or ()


def _lead(part: Token, folder: Path) -> None:
    """Let a link lead to where its page lies, and bring its picture along."""
    if part.type == "image":
        picture = str(part.attrs["src"])
        (folder / picture).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(GUIDE / picture, folder / picture)
    elif part.type == "link_open":
        page, dot, anchor = str(part.attrs["href"]).partition(".md")
        if dot and page in PAGES:
            part.attrs["href"] = f"{page}.html{anchor}"
        elif dot:
            del part.attrs["href"]  # not for artists, and not here


def _text(words: Token) -> str:
    return "".join(part.content for part in words.children or ())


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
