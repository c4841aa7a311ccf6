# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception tree of the product, and its wire codes.

    DeepDreamError
    ├── InputError                 what was asked for cannot be done as asked: exit code 2
    │   ├── SettingsError          a setting that is unknown, malformed or out of range
    │   ├── FrameRangeError        a frame list that is none
    │   ├── SceneError             the Blender scene lacks something: a camera, a node
    │   ├── UnknownBrainError      no brain of that name
    │   ├── UnknownLayerError      the brain has no such layer, channel or class
    │   ├── BrainFileError         weights that are damaged or not what they should be
    │   ├── ImageError             an image that cannot be read, is empty or too large
    │   ├── RequestError           a malformed request on the wire
    │   │   ├── TooLargeError      a request or an upload beyond the server's limit
    │   │   └── TooSlowError       a request that takes too long to arrive
    │   ├── MissingBlobError       a request names bytes that the server does not have
    │   └── NotFoundError          no such job, blob or address
    ├── ServerError                the dream server cannot be used: exit code 1
    │   ├── ServerUnavailableError nobody answers, or the server did not start
    │   ├── UnauthorizedError      the token is missing or wrong
    │   ├── ForbiddenError         the token is good, but not for this
    │   ├── BusyError              the server has enough to do: come again later
    │   └── VersionMismatchError   the two sides speak different protocol versions
    ├── PullError                  a brain that could not be fetched from where others keep it
    ├── WorkerLostError            the worker process died, twice, on the same job
    ├── TimedOutError              a job that told nothing of its way for too long
    ├── OutOfMemoryError           the device has too little memory for the job
    ├── StorageError               a disk that is full, or a folder that cannot be written
    ├── RenderError                Blender could not render or composite a frame
    ├── InternalError              a defect of ours, reported instead of hidden
    ├── GaveWayError               a long job let others go first and is queued again: stays within the server
    └── CancelledError             stopped because somebody asked for it

Every error carries a message that says what happened and a hint that says what to do. On the wire it is
`{"code", "message", "hint"}`; `from_wire` gives the same class back on the other side.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import ClassVar


class DeepDreamError(Exception):
    """Base of all errors that a user may see.

    code: the error's name on the wire. http_status: the status of the answer that carries it.
    exit_code: what a command line ends with.
    """

    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[type[DeepDreamError], tuple[str, str]]:
        """Errors cross from the worker process to the server: keep message and hint apart on the way."""
        return type(self), (self.message, self.hint)

    def to_wire(self) -> dict[str, str]:
        return {"code": self.code, "message": self.message, "hint": self.hint}


class InputError(DeepDreamError):
    code = "input"
    http_status = 422
    exit_code = 2


class SettingsError(InputError):
    code = "settings"


class FrameRangeError(InputError):
    code = "frame_range"


class SceneError(InputError):
    code = "scene"


class UnknownBrainError(InputError):
    code = "unknown_brain"


class UnknownLayerError(InputError):
    code = "unknown_layer"


class ImageError(InputError):
    code = "image"


class RequestError(InputError):
    code = "request"
    http_status = 400


class TooLargeError(RequestError):
    code = "too_large"
    http_status = 413


class TooSlowError(RequestError):
    code = "too_slow"
    http_status = 408


class MissingBlobError(InputError):
    code = "missing_blob"
    http_status = 409


class NotFoundError(InputError):
    code = "not_found"
    http_status = 404


class ServerError(DeepDreamError):
    code = "server"
    http_status = 503


class ServerUnavailableError(ServerError):
    code = "server_unavailable"


class UnauthorizedError(ServerError):
    code = "unauthorized"
    http_status = 401


class ForbiddenError(ServerError):
    code = "forbidden"
    http_status = 403


class BusyError(ServerError):
    code = "busy"
    http_status = 429


class VersionMismatchError(ServerError):
    code = "version_mismatch"
    http_status = 426


class BrainFileError(InputError):
    code = "brain_file"


class PullError(DeepDreamError):
    code = "pull"
    http_status = 502


class WorkerLostError(DeepDreamError):
    code = "worker_lost"


class TimedOutError(DeepDreamError):
    code = "timed_out"


class OutOfMemoryError(DeepDreamError):
    code = "out_of_memory"


class StorageError(DeepDreamError):
    code = "storage"
    http_status = 507


class RenderError(DeepDreamError):
    code = "render"


class InternalError(DeepDreamError):
    code = "internal"


class GaveWayError(DeepDreamError):
    code = "gave_way"


class CancelledError(DeepDreamError):
    code = "cancelled"


def _tree(root: type[DeepDreamError]) -> dict[str, type[DeepDreamError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


BY_CODE = _tree(DeepDreamError)


def from_wire(data: Mapping[str, object]) -> DeepDreamError:
    """The error that `to_wire` described; an unknown code (a newer server) becomes a plain DeepDreamError."""
    kind = BY_CODE.get(str(data.get("code", "")), DeepDreamError)
    return kind(str(data.get("message", "The server reported an error without a message.")), str(data.get("hint", "")))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """How a hint begins where a name is not known: the question whether one of those was meant that are spelled like
    it, with a space behind it; "" if there is none."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}? " if near else ""
