# SPDX-License-Identifier: GPL-3.0-or-later
"""Brains over the wire: shown, imported, used, removed, and what is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from blender_deepdream.engine import brain_file
from blender_deepdream.protocol.brain_info import BrainInfo
from blender_deepdream.protocol.brains import BrainResult, ImportBrainRequest, PullBrainRequest
from blender_deepdream.protocol.client import DreamClient
from blender_deepdream.protocol.errors import (
    BrainFileError,
    DeepDreamError,
    InputError,
    MissingBlobError,
    UnknownBrainError,
)
from blender_deepdream.protocol.jobs import JobState
from blender_deepdream.protocol.messages import DreamRequest

from ..engine.caffe.networks import Net
from ..engine.small_brains import DESCRIPTION, small_card, small_tensors
from .conftest import ended, request_for
from .process import ServerProcess, png


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The file of a brain called "small"."""
    path = tmp_path / "anything.safetensors"
    brain_file.save(path, small_card(), small_tensors(), DESCRIPTION)
    return path


@pytest.fixture
def keeper(server: ServerProcess, client: DreamClient) -> Iterator[DreamClient]:
    """A client of the shared server whose imported brains go with the test."""
    yield client
    for brain in client.brains():
        if brain.name != "lite0":
            client.remove_brain(brain.name)


def imported(client: DreamClient, request: ImportBrainRequest) -> BrainInfo:
    last = ended(client, request)
    assert isinstance(last.result, BrainResult), last
    return last.result.brain


def with_brain(client: DreamClient, name: str, **settings: object) -> DreamRequest:
    return request_for(client, brain=name, steps=1, **settings)


def test_a_brain_is_imported_listed_shown_used_and_removed(keeper: DreamClient, small: Path) -> None:
    brain = imported(keeper, ImportBrainRequest(file=keeper.put_blob(small)))
    assert (brain.name, brain.size) == ("small", small.stat().st_size)
    assert keeper.brains()[-1] == brain
    shown = keeper.brain("small")
    assert shown.info == brain == keeper.brain(brain.id).info
    assert [(layer.name, layer.channels, layer.stride, layer.dreams) for layer in shown.layers] == [
        ("conv1", 8, 2, "edges"),
        ("relu1", 8, 2, "blots"),
    ]
    assert shown.classes == ("circle", "square", "star")
    assert ended(keeper, with_brain(keeper, "small")).state is JobState.DONE
    assert ended(keeper, with_brain(keeper, "lite0", layers=[["_blocks.4", 1], ["small::relu1", 1]])).result
    keeper.remove_brain("small")
    assert "small" not in {brain.name for brain in keeper.brains()}
    with pytest.raises(UnknownBrainError):
        keeper.brain("small")
    with pytest.raises(UnknownBrainError):
        keeper.submit(with_brain(keeper, "small"))


def test_what_was_imported_and_removed_is_imported_again(keeper: DreamClient, small: Path) -> None:
    request = ImportBrainRequest(file=keeper.put_blob(small))
    first = imported(keeper, request)
    assert keeper.submit(request).state is JobState.DONE, "it is there already"
    keeper.remove_brain("small")
    assert imported(keeper, request) == first
    assert keeper.brain("small").info == first


def test_a_caffe_network_becomes_a_brain(keeper: DreamClient, tmp_path: Path) -> None:
    net = Net("tiny", 16)
    net.conv("conv1", 4, 3, pad=1)
    net.fc("fc", 2)
    net.add("Softmax", "prob")
    written = net.write(tmp_path)
    (tmp_path / "synset.txt").write_text("n01440764 tench, Tinca tinca\nn01443537 goldfish\n")
    request = ImportBrainRequest(
        "places",
        prototxt=keeper.put_blob(written.prototxt),
        caffemodel=keeper.put_blob(written.caffemodel),
        classes=keeper.put_blob(tmp_path / "synset.txt"),
        licence="CC-BY 4.0",
    )
    brain = imported(keeper, request)
    assert (brain.name, brain.licence) == ("places", "CC-BY 4.0")
    assert keeper.brain("places").classes == ("tench", "goldfish")
    assert ended(keeper, with_brain(keeper, "places")).state is JobState.DONE


def test_two_brains_of_one_name(keeper: DreamClient, small: Path, tmp_path: Path) -> None:
    brain_file.save(tmp_path / "other", small_card(title="Another"), small_tensors(), DESCRIPTION)
    first, other = (ImportBrainRequest(file=keeper.put_blob(path)) for path in (small, tmp_path / "other"))
    imported(keeper, first)
    refused = ended(keeper, other)
    assert isinstance(refused.error, InputError)
    assert "small" in refused.error.message
    assert keeper.brain("small").info.title == "A small network"
    before = keeper.resolve(with_brain(keeper, "small", seed=1))
    assert imported(keeper, dataclasses.replace(other, name="second")).name == "second"
    assert imported(keeper, dataclasses.replace(other, replace=True)).title == "Another"
    assert keeper.resolve(with_brain(keeper, "small", seed=1)) != before, "another brain, another job"
    assert ended(keeper, with_brain(keeper, "small")).state is JobState.DONE


def test_a_brain_that_a_waiting_job_needs_goes(keeper: DreamClient, small: Path, long_request: DreamRequest) -> None:
    imported(keeper, ImportBrainRequest(file=keeper.put_blob(small)))
    running = keeper.submit(long_request)
    waiting = keeper.submit(with_brain(keeper, "small"))
    keeper.remove_brain("small")
    keeper.cancel(running.id)
    *_, last = keeper.events(waiting.id)
    assert last.state is JobState.FAILED
    assert isinstance(last.error, UnknownBrainError)
    assert "small" in last.error.message


def test_a_brain_is_replaced_behind_the_servers_back(
    start_server: Callable[..., ServerProcess], small: Path, tmp_path: Path
) -> None:
    server = start_server()
    client = server.client()
    folder = server.data / "brains"
    folder.mkdir(exist_ok=True)
    brain_file.save(folder / "late.safetensors", small_card("late"), small_tensors(), DESCRIPTION)
    request = with_brain(client, "late")
    assert ended(client, request).state is JobState.DONE, "it came after the server's start"
    brain_file.save(folder / "late.safetensors", small_card("late", title="New"), small_tensors(), DESCRIPTION)
    failed = ended(client, with_brain(client, "late"))
    assert isinstance(failed.error, UnknownBrainError)
    assert "replaced" in failed.error.message
    assert ended(client, with_brain(client, "late")).state is JobState.DONE
    (folder / "late.safetensors").write_bytes(b"rotten")
    with pytest.raises(UnknownBrainError):
        client.submit(with_brain(client, "later"))
    assert [brain.name for brain in client.brains()] == ["lite0"], "damaged ones are not offered"


@pytest.mark.parametrize("name", ["../lite0", "..", "a/../../b", "a b", "\x00", "x" * 300, "%2e%2e", "nobody", "CON"])
def test_names_that_no_brain_has(client: DreamClient, name: str) -> None:
    for call in (client.brain, client.remove_brain):
        with pytest.raises(InputError):
            call(name)


@pytest.mark.parametrize("name", ["../evil", "lite0", "a/b", "..", "con", "UPPER", "", "x" * 65])
def test_names_that_no_brain_gets(server: ServerProcess, keeper: DreamClient, small: Path, name: str) -> None:
    last = ended(keeper, ImportBrainRequest(name, file=keeper.put_blob(small)))
    assert last.state is (JobState.DONE if name == "" else JobState.FAILED)
    if name:
        assert isinstance(last.error, InputError)
    files = [path.name for path in server.data.rglob("*.safetensors")]
    assert files == (["small.safetensors"] if name == "" else [])


def test_the_built_in_brain_stays(client: DreamClient) -> None:
    with pytest.raises(InputError, match="built in"):
        client.remove_brain("lite0")


def test_what_can_be_pulled(keeper: DreamClient, small: Path) -> None:
    offers = {offer.name: offer for offer in keeper.brain_offers()}
    assert {"squeezenet", "googlenet"} <= set(offers)
    assert all(offer.size and offer.licence and offer.host for offer in offers.values())
    for name, kind in (("nobody", UnknownBrainError), ("../x", UnknownBrainError)):
        assert isinstance(ended(keeper, PullBrainRequest(name)).error, kind)
    imported(keeper, ImportBrainRequest("squeezenet", file=keeper.put_blob(small)))
    taken = ended(keeper, PullBrainRequest("squeezenet"))
    assert isinstance(taken.error, InputError), "said before anything is fetched"


def test_files_that_are_not_what_they_say(keeper: DreamClient, small: Path) -> None:
    good = small.read_bytes()
    picture = keeper.put_blob(png(48, 32))
    for data in (b"", b"\x80\x04K\x01.", png(8, 8), good[:-1], good + b"\0", good[: len(good) // 2], b"\xff" * 64):
        last = ended(keeper, ImportBrainRequest(file=keeper.put_blob(data)))
        assert isinstance(last.error, BrainFileError), data[:16]
        assert "/blobs/" not in str(last.error)
    for request in (
        ImportBrainRequest("odd", prototxt=picture, caffemodel=picture),
        ImportBrainRequest("odd", prototxt=keeper.put_blob(b'name: "x"'), caffemodel=picture),
    ):
        last = ended(keeper, request)
        assert isinstance(last.error, BrainFileError)
        assert "/blobs/" not in str(last.error)
    assert [brain.name for brain in keeper.brains()] == ["lite0"]
    with pytest.raises(MissingBlobError):
        keeper.submit(ImportBrainRequest(file="0" * 64))
    with pytest.raises(DeepDreamError):
        keeper.submit(DreamRequest(picture, request_for(keeper).settings.replace(brain="odd")))
