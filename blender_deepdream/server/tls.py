# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's certificate, tried out before anybody meets it."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

from ..protocol.errors import InputError

_ERRORS = {
    9: ("is not valid yet", "Check this machine's clock, or have a certificate issued that is valid now."),
    10: ("has expired", "Have it renewed, and start the server with the new one."),
}
"""OpenSSL's numbers of what is wrong with a certificate."""


class Identity(NamedTuple):
    """The files of a certificate (with those between it and a known authority, if any) and of its key, in PEM."""

    certificate: Path
    key: Path


def check_identity(identity: Identity) -> None:
    """Raises InputError for files that are none, do not belong together, or a certificate whose time it is not."""
    for path in identity:
        _check_readable(path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        server.load_cert_chain(identity.certificate, identity.key, password=_no_password)
        client.load_verify_locations(identity.certificate)
    except (ssl.SSLError, ValueError) as error:
        raise InputError(
            f"{identity.certificate} and {identity.key} cannot be used: {_reason(error)}.",
            "The key must belong to the certificate, be in PEM, and have no password.",
        ) from error
    client.check_hostname = False
    # we only ask whether its time is right: who issued it is the clients' business
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    problem = _shake_hands(server, client)
    if problem in _ERRORS:
        said, hint = _ERRORS[problem]
        raise InputError(f"The certificate {identity.certificate} {said}.", hint)


def _check_readable(path: Path) -> None:
    """Raises InputError. Keys often lie where only root may look."""
    try:
        path.open("rb").close()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise InputError(f"There is no file {path}.", "Name the certificate and its key, both in PEM.") from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}.", "Let the user who runs the server read it."
        ) from error


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> int:
    """Let a client look at the certificate, in memory. Returns OpenSSL's number of what it finds wrong, or 0."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return int(error.verify_code)
    return 0


def _no_password() -> str:
    """Without this OpenSSL would ask on the terminal, and wait."""
    raise ValueError("the key has a password")


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or str(error)
