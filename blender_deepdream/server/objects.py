# SPDX-License-Identifier: GPL-3.0-or-later
"""An object store of the network's (S3 and others), by fsspec: bytes under names, each whole or not there.

Keys come from the driver's own places (its environment variables and files, the machine's role), never from an address.
"""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ..engine.whole_files import cannot_write
from ..protocol.errors import InputError, StorageError

PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
}
"""Which package of PyPI speaks to them. Of s3fs, and of gcsfs, the version must be fsspec's."""

CONNECT_SECONDS, READ_SECONDS = 5, 15
"""How long S3 may take to take a connection, and to say anything. The driver tries five times."""

PUT_SECONDS, SLOWEST = 60, 2**18
"""How long it may take to store something, besides the time for its bytes at so many a second. S3's driver waits for
ever for one that takes a connection and does not ask for the bytes."""

_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
"""What this machine's own disk says, and no driver."""

_SECRET = re.compile(r"(?<=://)[^/\s@]*@|\?\S+")
"""In an address: keys before the host, a signature behind the path (Azure's)."""

_MODIFIED = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")
_VERSION = ("ETag", "etag", "md5Hash", "content_md5")


class Found(NamedTuple):
    """An object. size: in bytes. modified: in seconds. version: another one after each change."""

    name: str
    size: int
    modified: float
    version: str


def is_address(text: str) -> bool:
    """Whether it names an object store, and no folder."""
    return "://" in text


def check_address(address: str) -> str:
    """Raises InputError for what is none of those that we know to show no object before it is whole."""
    scheme, _, rest = address.partition("://")
    if scheme not in PACKAGES or "::" in address:
        raise InputError(
            f"{scheme}:// is no object store that can be shared.",
            f"Known are {', '.join(f'{known}://' for known in PACKAGES)}; a folder is named by its path.",
        )
    if not rest.strip("/") or "@" in rest or "?" in rest:
        raise InputError(
            f"{scheme}:// must be followed by a bucket, and nothing but names.",
            "Write s3://BUCKET/NAME; keys are found where the driver looks for them, as in AWS_ACCESS_KEY_ID.",
        )
    return address.rstrip("/")


class Objects:
    """Those under an address. Methods block on the network, and raise StorageError."""

    def __init__(self, address: str, driver: Any = None) -> None:
        """driver: an fsspec file system; by default the address's. Raises InputError for one that is not installed."""
        self.address = address
        self._driver = driver or _driver_of(address)
        self._root = address.partition("://")[2]

    def put(self, name: str, data: bytes) -> None:
        with self._said():
            self._driver.pipe_file(self._path(name), data, timeout=_patience(len(data)))

    def put_file(self, name: str, path: Path) -> None:
        with self._said():
            self._driver.put_file(str(path), self._path(name), timeout=_patience(path.stat().st_size))

    def read(self, name: str) -> bytes | None:
        """None where there is none."""
        with self._said():
            try:
                return bytes(self._driver.cat_file(self._path(name)))
            except FileNotFoundError:
                return None

    def fetch(self, name: str, target: Path) -> bool:
        """Into a file, which is left unfinished by an error. Returns whether there is one."""
        with self._said():
            try:
                self._driver.get_file(self._path(name), str(target))
            except FileNotFoundError:
                return False
            except OSError as error:
                if error.errno in _FULL:
                    raise cannot_write(target, error) from error
                raise
        return True

    def find(self, name: str) -> Found | None:
        with self._said():
            try:
                return self._found(self._driver.info(self._path(name)))
            except FileNotFoundError:
                return None

    def list(self, folder: str) -> Iterator[Found]:
        """All whose names begin so, with a slash behind."""
        with self._said():
            found = self._driver.find(self._path(folder), detail=True)
        yield from (self._found(facts) for facts in found.values())

    def remove(self, name: str) -> None:
        """One that is not there is as good as removed."""
        with self._said(), contextlib.suppress(FileNotFoundError):
            self._driver.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _found(self, facts: Mapping[str, Any]) -> Found:
        modified = _seconds(next((facts[key] for key in _MODIFIED if facts.get(key)), 0.0))
        version = next((str(facts[key]) for key in _VERSION if facts.get(key)), str(modified))
        name = str(facts["name"]).lstrip("/").removeprefix(f"{self._root}/")
        return Found(name, int(facts["size"] or 0), modified, version)

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except StorageError:
            raise
        except FileNotFoundError as error:
            raise StorageError(f"There is no bucket at {self.address}.", "Make it first, or name another.") from error
        except PermissionError as error:
            raise StorageError(
                f"{self.address} does not let this machine in.",
                "Give every machine a key that may read, write, list and delete there: for S3 in AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, ~/.aws/credentials or the machine's role.",
            ) from error
        except Exception as error:  # the boundary to a driver, which raises what it likes
            reason = _SECRET.sub("", " ".join(str(error).split()))[:300] or "it takes too long."
            raise StorageError(
                f"{self.address} does not answer as it should: {type(error).__name__}: {reason}",
                "See that the store runs and this machine reaches it (for one of your own: AWS_ENDPOINT_URL); then "
                "send it again: nothing that was stored is lost.",
            ) from error


def _driver_of(address: str) -> Any:
    import fsspec

    scheme = check_address(address).partition("://")[0]
    own: dict[str, Any] = {}
    if PACKAGES[scheme] == "s3fs":
        patience = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}
        own = {"config_kwargs": {**patience, "retries": {"total_max_attempts": 1}}}
    try:
        return fsspec.filesystem(scheme, use_listings_cache=False, skip_instance_cache=True, **own)
    except ImportError as error:
        raise InputError(
            f"What speaks to {scheme}:// is not installed here: {error}.",
            f"On every machine: pip install {PACKAGES[scheme]}=={fsspec.__version__}",
        ) from error


def _patience(size: int) -> float:
    """Seconds for so many bytes."""
    return PUT_SECONDS + size / SLOWEST


def _seconds(when: Any) -> float:
    if isinstance(when, str):
        when = datetime.fromisoformat(when)
    if isinstance(when, datetime):
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    return float(when)
