# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of a dream server: standard library only, no threads, no asyncio, so that it runs inside Blender.

    client = DreamClient(url, token)
    client.health()
    job = client.submit(DreamRequest(source=client.put_blob(Path("in.exr"))))
    for job in client.events(job.id):
        print(job.progress)
    client.get_blob(job.result.image, Path("out.exr"))

Every call blocks for at most `timeout` seconds on a silent server. A modal operator polls `status` from its timer.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import SplitResult, quote, urlsplit

from .brain_info import BrainDetails, BrainInfo
from .brains import BrainOffer
from .errors import (
    BusyError,
    ImageError,
    NotFoundError,
    RequestError,
    ServerUnavailableError,
    StorageError,
    TooLargeError,
    UnauthorizedError,
    VersionMismatchError,
    from_wire,
)
from .jobs import JobRequest, JobStatus
from .wire import (
    BATCH_HEADER,
    CLIENT_HEADER,
    MAX_BLOB_BYTES,
    PROTOCOL_HEADER,
    PROTOCOL_VERSION,
    check_client,
    check_hash,
)

MAX_ANSWER_BYTES = 16 * 2**20
"""A JSON answer longer than this does not come from a dream server."""

MAX_EVENT_BYTES = 2**20
PIECE_BYTES = 2**20
SEND_BYTES = 2**17
RECONNECTS = 5
"""How often `events` looks for a lost server, in a row, before it gives up."""

BUSY_SECONDS = 5.0
BUSY_ATTEMPTS = 120
"""How often a batch comes again, and after which time, where the server has enough to do: ten minutes in all."""

MIN_STREAM_TIMEOUT = 15.0
"""Seconds of silence on an event stream: the server says every few seconds that it is still there."""


def _split(url: str) -> tuple[SplitResult, str]:
    """With the name of the machine. Raises ServerUnavailableError."""
    with contextlib.suppress(ValueError):  # as of `http://[::1`
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname:
            return parts, parts.hostname
    raise ServerUnavailableError(
        f"{url!r} is not the address of a server.", "Write it as http://HOST:PORT, as the server printed it."
    )


class DreamClient:
    """One server as one client sees it.

    url: `http://127.0.0.1:8123` or `https://...`. client_id: who wants the jobs that are submitted here; jobs are
    shared, and a cancel takes back only this client's want. timeout: seconds of silence before the server counts
    as gone. Each call makes its own connection and closes it, so there is nothing to close in the end; to leave
    `events` early, drop or close the iterator.
    """

    def __init__(self, url: str, token: str, client_id: str | None = None, timeout: float = 30.0) -> None:
        parts, self._host = _split(url)
        if not token.isascii() or not token.isprintable():
            raise ServerUnavailableError("The token has characters that no token has.", "Read the token file again.")
        self._secure = parts.scheme == "https"
        self._path = parts.path.rstrip("/")
        try:
            self._port = parts.port
        except ValueError as error:
            raise ServerUnavailableError(f"{url!r} has an impossible port.", "Ports are 1 to 65535.") from error
        self._shown_url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._timeout = timeout
        self.client_id = check_client(client_id or uuid.uuid4().hex)
        self._headers = {
            "Authorization": f"Bearer {token}",
            PROTOCOL_HEADER: str(PROTOCOL_VERSION),
            CLIENT_HEADER: self.client_id,
        }

    def as_batch(self) -> DreamClient:
        """This client, whose jobs from now on let those of people who look on go first."""
        self._headers[BATCH_HEADER] = "1"
        return self

    def health(self) -> dict[str, Any]:
        """What the server says of itself. Raises VersionMismatchError, which says which side to update."""
        health = self._json("GET", "/v1/health")
        version = health.get("protocol")
        if version != PROTOCOL_VERSION:
            older = "server" if isinstance(version, int) and version < PROTOCOL_VERSION else "add-on"
            raise VersionMismatchError(
                f"The server speaks protocol version {version}, this side {PROTOCOL_VERSION}.", f"Update the {older}."
            )
        return health

    def has_blob(self, sha: str) -> bool:
        with self._exchange("HEAD", f"/v1/blobs/{check_hash(sha)}") as response:
            if response.status == NotFoundError.http_status:
                return False
            self._check_status(response)
            return True

    def put_blob(self, data: Path | bytes) -> str:
        """Make sure that the server has these bytes, or this file's. Returns their name, their SHA-256.

        Files are streamed. Raises ImageError if the file cannot be read, TooLargeError, StorageError.
        """
        with _opened(data) as file:
            sha = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.seek(0, io.SEEK_END)
            if size > MAX_BLOB_BYTES:
                raise TooLargeError(f"{size} bytes are more than a server takes.", "Use a smaller image.")
            if not self.has_blob(sha):
                file.seek(0)
                self._json("PUT", f"/v1/blobs/{sha}", upload=file, size=size)
        return sha

    def missing_blobs(self, blobs: Iterable[str]) -> set[str]:
        """Those that the server does not have, of at most `MAX_LISTED_BLOBS`."""
        answer = self._json("POST", "/v1/blobs/missing", {"blobs": list(map(check_hash, blobs))})
        with self._well_formed():
            return set(map(check_hash, answer["missing"]))

    def get_blob(self, sha: str, path: Path) -> None:
        """Download a blob; the file appears under its name only when it is complete and its hash right.

        Raises NotFoundError, StorageError, ServerUnavailableError.
        """
        unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        with self._exchange("GET", f"/v1/blobs/{check_hash(sha)}") as response:
            self._check_status(response)
            try:
                if self._download(response, unfinished) != sha:
                    raise StorageError(f"Blob {sha} arrived damaged.", "Dream it again: the server replaces it.")
                unfinished.replace(path)
            except OSError as error:
                raise StorageError(
                    f"{path} cannot be written: {error.strerror or error}.", "Check the folder and the free space."
                ) from error
            finally:
                with contextlib.suppress(OSError):
                    unfinished.unlink(missing_ok=True)

    def brains(self) -> tuple[BrainInfo, ...]:
        """The brains that this server has."""
        answer = self._json("GET", "/v1/brains")
        with self._well_formed():
            return tuple(BrainInfo.from_json(brain) for brain in answer["brains"])

    def brain(self, name: str) -> BrainDetails:
        """All that is known of one. Raises UnknownBrainError."""
        answer = self._json("GET", f"/v1/brains/{quote(name, safe='')}")
        with self._well_formed():
            return BrainDetails.from_json(answer)

    def brain_offers(self) -> tuple[BrainOffer, ...]:
        """The brains that this server can pull, if it is asked to with a PullBrainRequest."""
        answer = self._json("GET", "/v1/brain-offers")
        with self._well_formed():
            return tuple(BrainOffer.from_json(offer) for offer in answer["offers"])

    def remove_brain(self, name: str) -> None:
        """Take a brain out of the server's library. Raises UnknownBrainError; InputError for one that is built in."""
        self._json("DELETE", f"/v1/brains/{quote(name, safe='')}")

    def resolve(self, request: JobRequest) -> str:
        """The id that this request's job has on this server, without submitting it."""
        answer = self._json("POST", "/v1/jobs/resolve", request.to_json())
        with self._well_formed():
            return check_hash(answer["id"])

    def submit(self, request: JobRequest) -> JobStatus:
        """Ask for a job of any kind.

        Raises MissingBlobError if its blobs have not been sent, BusyError if the server has enough to do (a batch waits
        for its turn first), or what is wrong.
        """
        for _ in range(BUSY_ATTEMPTS if BATCH_HEADER in self._headers else 0):
            with contextlib.suppress(BusyError):
                return self._status("POST", "/v1/jobs", request.to_json())
            time.sleep(BUSY_SECONDS)
        return self._status("POST", "/v1/jobs", request.to_json())

    def status(self, job_id: str) -> JobStatus:
        """Raises NotFoundError."""
        return self._status("GET", f"/v1/jobs/{check_hash(job_id)}")

    def cancel(self, job_id: str) -> JobStatus:
        """Take back this client's want; the job goes on if others want it. Raises NotFoundError."""
        return self._status("DELETE", f"/v1/jobs/{check_hash(job_id)}")

    def preview(self, job_id: str) -> bytes:
        """A JPEG of what a running job has come to, at most 512 pixels wide and high; `JobStatus.preview` counts them.

        Raises NotFoundError if there is none: not yet, or not any more.
        """
        with self._exchange("GET", f"/v1/jobs/{check_hash(job_id)}/preview") as response:
            self._check_status(response)
            return self._bounded(response)

    def events(self, job_id: str) -> Iterator[JobStatus]:
        """The job's status now and at each change; the last one has ended.

        A stream that breaks is taken up again: the first event says where the job stands, so nothing is lost.
        Raises ServerUnavailableError after several attempts in vain, NotFoundError if the server forgot the job.
        """
        failures = 0
        while True:
            try:
                for status in self._event_stream(job_id):
                    failures = 0
                    yield status
                    if status.state.ended:
                        return
                raise self._unavailable("the event stream ended early")
            except ServerUnavailableError:
                failures += 1
                if failures > RECONNECTS:
                    raise
                time.sleep(min(0.1 * 2**failures, 2.0))

    def _event_stream(self, job_id: str) -> Iterator[JobStatus]:
        path = f"/v1/jobs/{check_hash(job_id)}/events"
        with self._exchange("GET", path, timeout=max(self._timeout, MIN_STREAM_TIMEOUT)) as response:
            self._check_status(response)
            while line := response.readline(MAX_EVENT_BYTES):
                if line.startswith(b"data:"):
                    with self._well_formed():
                        status = JobStatus.from_json(json.loads(line[5:]))
                    yield status

    def _status(self, method: str, path: str, data: Mapping[str, Any] | None = None) -> JobStatus:
        answer = self._json(method, path, data)
        with self._well_formed():
            return JobStatus.from_json(answer)

    def _json(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any] | None = None,
        upload: BinaryIO | None = None,
        size: int = 0,
    ) -> dict[str, Any]:
        """Exchange JSON, or send a file of `size` bytes and get JSON."""
        body = upload if data is None else json.dumps(data, allow_nan=False).encode()
        headers = {"Content-Length": str(size)} if upload else {}
        with self._exchange(method, path, body, headers) as response:
            self._check_status(response)
            return self._read_json(response)

    @contextlib.contextmanager
    def _exchange(
        self,
        method: str,
        path: str,
        body: BinaryIO | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Iterator[HTTPResponse]:
        """Send a request; inside the block, whatever goes wrong with the connection is ServerUnavailableError."""
        kind = HTTPSConnection if self._secure else HTTPConnection
        connection = kind(self._host, self._port, timeout=timeout or self._timeout, blocksize=SEND_BYTES)
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                # a server that refuses an upload answers before it has read all of it: its answer says why
                connection.request(method, self._path + path, body, {**self._headers, **(headers or {})})
            with contextlib.closing(connection.getresponse()) as response:
                yield response
        except (OSError, HTTPException) as error:
            raise self._unavailable(str(error) or type(error).__name__) from error
        finally:
            connection.close()

    def _download(self, response: HTTPResponse, path: Path) -> str:
        """Write the answer's body to a file. Returns its SHA-256. Raises OSError only for the file."""
        digest = hashlib.sha256()
        with path.open("wb") as file:
            while True:
                try:
                    piece = response.read(PIECE_BYTES)
                except (OSError, HTTPException) as error:
                    raise self._unavailable(str(error) or type(error).__name__) from error
                if not piece:
                    return digest.hexdigest()
                digest.update(piece)
                file.write(piece)

    def _check_status(self, response: HTTPResponse) -> None:
        """Raise the error that an answer carries, if it carries one."""
        if 200 <= response.status < 300:
            return
        with contextlib.suppress(ServerUnavailableError):
            error = self._read_json(response)
            if "code" in error:
                raise from_wire(error)
        if response.status == UnauthorizedError.http_status:  # the answer to HEAD has no body
            raise UnauthorizedError("The token is wrong.", "Read the server's token file again.")
        raise self._not_a_dream_server(f"status {response.status}")

    def _bounded(self, response: HTTPResponse) -> bytes:
        body = response.read(MAX_ANSWER_BYTES + 1)
        if len(body) > MAX_ANSWER_BYTES:
            raise self._not_a_dream_server("an endless answer")
        return body

    def _read_json(self, response: HTTPResponse) -> dict[str, Any]:
        body = self._bounded(response)
        with self._well_formed():
            data = json.loads(body)
        if not isinstance(data, dict):
            raise self._not_a_dream_server("JSON that is no object")
        return data

    @contextlib.contextmanager
    def _well_formed(self) -> Iterator[None]:
        """Inside the block, an answer that is not as agreed is ServerUnavailableError."""
        try:
            yield
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, RequestError) as error:
            raise self._not_a_dream_server("an answer that is not as agreed") from error

    def _unavailable(self, reason: str) -> ServerUnavailableError:
        return ServerUnavailableError(
            f"The dream server at {self._shown_url} does not answer: {reason}.",
            "Start it, or check its address in the add-on's preferences.",
        )

    def _not_a_dream_server(self, what: str) -> ServerUnavailableError:
        return ServerUnavailableError(
            f"{self._shown_url} answers with {what}, so it is not a dream server of this version.",
            "Check the address and the port, and that the add-on and the server were updated together.",
        )


@contextlib.contextmanager
def _opened(data: Path | bytes) -> Iterator[io.BufferedReader | io.BytesIO]:
    if isinstance(data, bytes):
        yield io.BytesIO(data)
        return
    try:
        file = data.open("rb")
    except OSError as error:
        raise ImageError(f"{data} cannot be read: {error.strerror or error}.", "Check the path.") from error
    with file:
        yield file
