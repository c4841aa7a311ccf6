# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read, in their language: every text is in the template, and every language has them all."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import bpy
import pytest

from blender_deepdream.addon import languages
from blender_deepdream.addon.cache import make_folder
from blender_deepdream.addon.run import Event
from blender_deepdream.protocol.errors import DeepDreamError
from blender_deepdream.protocol.messages import Progress
from scripts import translation_template

LANGUAGES = languages.read()
_PLACE = re.compile(r"\{(\d+)(?:!r)?\}")


def german(text: str) -> str:
    """As Blender's catalogue gives it; the wheels come without."""
    return LANGUAGES["de"].get(text, text)


def translated(text: str) -> str:
    return languages.translated(text, german)


def test_the_template_has_every_text_that_is_shown() -> None:
    """If not: run scripts/translation_template.py."""
    template = json.loads((languages.FOLDER / languages.TEMPLATE).read_text("utf-8"))
    assert list(template) == translation_template.texts()


@pytest.mark.parametrize("locale", LANGUAGES)
def test_every_language_says_everything_and_nothing_else(locale: str) -> None:
    found = translation_template.texts()
    assert not translation_template.missing(found, LANGUAGES[locale])
    assert set(LANGUAGES[locale]) == set(found)


@pytest.mark.parametrize("locale", LANGUAGES)
def test_a_translation_has_no_places_that_its_text_has_not(locale: str) -> None:
    for text, told in LANGUAGES[locale].items():
        assert set(_PLACE.findall(told)) <= set(_PLACE.findall(text)), text


def test_what_waits_for_its_translation_stays_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blender would show an empty one."""
    (tmp_path / "fr.json").write_text('{"Layer": "Couche", "Node": ""}', "utf-8")
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    assert languages.read() == {"fr": {"Layer": "Couche"}}


def test_german_is_there() -> None:
    assert "de" in LANGUAGES


@pytest.mark.parametrize(
    "text, told",
    [
        ("Needs dream", "Braucht Traum"),
        ("12 files, 3.4 GB", "12 Dateien, 3.4 GB"),
        ("The scene 'Image, Layers' has no camera.", "Die Szene 'Image, Layers' hat keine Kamera."),
        ("About 4 min for 3 of 24 frames (10 s each)", "Etwa 4 min für 3 von 24 Frames (10 s je Frame)"),
        ("Cancelled. Finished frames are kept.", "Abgebrochen. Fertige Frames bleiben."),
        (
            "Motion: optical flow, motion blur leaves no vectors",
            "Bewegung: optischer Fluss, Bewegungsunschärfe lässt keine Vektoren",
        ),
        ("Dream _blocks.12=2, _blocks.4", "Träumt _blocks.12=2, _blocks.4"),
        ("Dreaming: octave 2 of 4, step 3, 14 s left", "Träumt: Oktave 2 von 4, Schritt 3, noch 14 s"),
        ("Rendering views: picture 3 of 30, 9 s left", "Rendert Ansichten: Bild 3 von 30, noch 9 s"),
        (
            "mine: 61% of the pictures it had not seen are named right, 50% where they are perturbed; 3 classes, "
            "20 pictures",
            "mine: 61% der Bilder, die es nicht gesehen hatte, sind richtig benannt, 50%, wo sie gestört sind; "
            "3 Klassen, 20 Bilder",
        ),
        ("Dream it in smaller tiles.", "Dream it in smaller tiles."),
        ("Something that nobody has written", "Something that nobody has written"),
        ("", ""),
    ],
)
def test_texts_are_known_by_their_templates(text: str, told: str) -> None:
    assert translated(text) == told


def test_progress_is_translated_part_by_part() -> None:
    event = Event(12, 2, 24, "dream", "node", Progress(1, 4, 3, 10, 0.5, 0.0, 14))
    assert translated(event.text) == "Frame 12 (3 von 24): träumt, Oktave 1 von 4, noch 14 s für diesen Frame"


def test_a_message_and_its_hint_are_translated_each() -> None:
    try:
        make_folder(languages.Path("beside"))
    except DeepDreamError as error:
        told = translated(str(error))
    assert told == (
        "Der Ordner beside liegt neben einer .blend, die nie gespeichert wurde. "
        "Sie speichern oder einen ganzen Pfad wählen."
    )


def test_names_are_left_alone_even_if_they_are_words_of_ours() -> None:
    assert translated("The history of Dream could not be written: Render") == (
        "Der Verlauf von Dream konnte nicht geschrieben werden: Render"
    )


def test_what_a_server_says_without_end_is_passed_over_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "_locale", lambda: "de_DE")
    text = "The folder " + "a. b, c: " * 100_000
    assert languages.shown(text) == text


@pytest.mark.parametrize(
    "text", ["Cancelled. " * 170, " left" * 390, "12 left, " * 200, "It answers: " * 160, ". " * 990]
)
def test_a_text_of_ours_within_texts_of_ours_without_end_takes_no_time(text: str) -> None:
    began = time.process_time()
    translated(text)
    assert time.process_time() - began < 2


def test_a_text_of_braces_asks_for_nothing() -> None:
    assert translated("There are: {0} {7} %s.") == "Es gibt: {0} {7} %s."


def test_tooltips_are_one_paragraph() -> None:
    described = bpy.ops.deepdream.clear_cache.get_rna_type().description
    assert described.startswith("Delete this scene's rendered passes")
    assert "\n" not in described
    assert "  " not in described


def test_english_is_not_looked_up() -> None:
    assert languages.shown("Needs dream") == languages.reported("Needs dream") == "Needs dream"
