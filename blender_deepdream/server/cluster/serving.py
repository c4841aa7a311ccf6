# SPDX-License-Identifier: GPL-3.0-or-later
"""`deepdream serve --cluster`: put the ingress and the dreamers into a Ray cluster, and take them out again."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.serve.schema import ApplicationStatus, DeploymentStatus

from ...engine.folders import data_folder
from ...protocol.errors import InputError, ServerUnavailableError
from ..auth import read_or_make_token
from ..hosts import own_names
from ..listening import bind, url_of, watch_parent
from ..serve_options import ServeOptions
from ..tokens import Keyring
from .dreamer import APPLICATION, Dreamer
from .ingress import Ingress, Launch
from .joining import join, read_address
from .nodes import Share, check_nodes, leave_mark, room_for, share_of
from .place import Desk, Place
from .pulse import is_serve, watch_head

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
SAY_SECONDS = 30.0
"""How often it is said what is still waited for."""

UPSCALE_SECONDS = 1.0
"""How long jobs wait before one more dreamer is started."""

HEALTH_SECONDS = 120.0
LAST_JOB_SECONDS = 3600.0
"""How long a dreamer that is to go may still work on its job. One whose ingress is gone lets go at once."""

WATCH_SECONDS = 5.0

_SLOW_MACHINES = {"RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60"}
"""Serve's controller gives up a proxy that takes more than five seconds to start."""

_QUIET = {"enable_access_log": False}


def serve_cluster(options: ServeOptions) -> None:
    """Serve on a Ray cluster until a signal or, with `exit_with_parent`, until whoever started us is gone.

    Prints one line of JSON when ready. Raises InputError, StorageError, ServerUnavailableError.
    """
    port = _port(options)
    place = Place(options.shared, options.data, options.copies_gib)
    desk = Desk(place)
    token_file = options.token_file or (options.data or data_folder() if place.is_remote else desk.store.root) / "token"
    tokens = _seen_by_all(options.tokens, place)
    keyring = Keyring(read_or_make_token(token_file), tokens)
    join(options.cluster)
    ended = _signalled(options)  # not before: Ray has ideas of its own about signals
    with contextlib.ExitStack() as leaving:
        leaving.callback(ray.shutdown)
        mark = leave_mark(place)
        check_nodes(place, tokens, mark)
        share = share_of(options.device, options.threads)
        launch = _launch(options, place, share, keyring)
        leaving.callback(_leave)  # not before: what an earlier command has left there goes on until ours comes
        _deploy(options, launch, share, mark, port)
        watch_head(read_address(options.cluster))
        if _await_ready(ended):
            _check_port(options, port)
            greeting = {
                "url": url_of(options, _host(options), port),
                "token_file": str(token_file.resolve()),
                "pid": os.getpid(),
            }
            print(json.dumps(greeting), flush=True)
            _watch(ended)


def _signalled(options: ServeOptions) -> threading.Event:
    """Set when it is time to end."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    if options.exit_with_parent:
        watch_parent(ended.set)
    return ended


def _port(options: ServeOptions) -> int:
    """Raises InputError; ServerUnavailableError for one of ours that is taken."""
    if read_address(options.cluster) is None:
        with contextlib.closing(bind(options.host, options.port)) as listener:
            return int(listener.getsockname()[1])
    if not options.port:
        raise InputError("The port on the cluster's head is open.", "Say which it shall be: --port 8470.")
    return options.port


def _seen_by_all(tokens: Path | None, place: Place) -> Path | None:
    """Raises InputError for a file that the ingress may not see where it runs."""
    if tokens is not None and not place.is_remote and not tokens.resolve().is_relative_to(place.shared):
        raise InputError(
            f"{tokens} is not in the shared folder: the cluster may not see it.", f"Move it into {place.shared}."
        )
    return tokens and tokens.resolve()


def _launch(options: ServeOptions, place: Place, share: Share, keyring: Keyring) -> Launch:
    address = read_address(options.cluster)
    return Launch(
        id=uuid.uuid4().hex,
        place=place,
        worker=replace(options.worker(Path()), threads=share.threads),
        dreamers=options.workers or room_for(share),
        keyring=keyring,
        names=own_names(options.host, address.host if address else "", *options.names),
        limits=options.limits,
    )


def _deploy(options: ServeOptions, launch: Launch, share: Share, mark: str, port: int) -> None:
    certificate, key = options.identity or (None, None)
    files = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)} if options.identity else {}
    serve.start(
        proxy_location="HeadOnly",
        http_options={"host": options.host, "port": port, **files},
        controller_options={"runtime_env": {"env_vars": _SLOW_MACHINES}},
    )
    application = _ingress(launch).bind(
        launch, _dreamers(options, launch, share).bind(launch.worker, launch.place, mark)
    )
    target = serve.RunTarget(target=application, name=APPLICATION, route_prefix="/", logging_config=_QUIET)
    serve.run_many([target], wait_for_applications_running=False)


def _ingress(launch: Launch) -> Any:
    return serve.deployment(
        name="Ingress",
        num_replicas=1,
        max_ongoing_requests=launch.limits.connections + launch.dreamers,
        graceful_shutdown_timeout_s=2,
        health_check_timeout_s=HEALTH_SECONDS,
        ray_actor_options={"num_cpus": 0},
    )(serve.ingress()(Ingress))


def _dreamers(options: ServeOptions, launch: Launch, share: Share) -> Any:
    return serve.deployment(
        name="Dreamer",
        max_ongoing_requests=1,
        graceful_shutdown_timeout_s=LAST_JOB_SECONDS,
        health_check_timeout_s=HEALTH_SECONDS,
        ray_actor_options={"num_cpus": share.cpus, "num_gpus": share.gpus},
        autoscaling_config={
            "min_replicas": min(options.least_workers, launch.dreamers),
            "max_replicas": launch.dreamers,
            "target_ongoing_requests": 1,
            "upscale_delay_s": UPSCALE_SECONDS,
            "downscale_delay_s": options.linger,
            "metrics_interval_s": 1,
            "look_back_period_s": 2,
        },
    )(Dreamer)


def _await_ready(ended: threading.Event) -> bool:
    """Whether it came to that before the end. Raises ServerUnavailableError."""
    said = time.monotonic()
    while not ended.wait(LOOK_SECONDS):
        found = serve.status().applications[APPLICATION]
        if found.status == ApplicationStatus.RUNNING:
            return True
        if found.status == ApplicationStatus.DEPLOY_FAILED:
            raise ServerUnavailableError(
                f"The cluster does not come to run: {'; '.join(_troubles()) or found.message}",
                "See `ray status`, and Ray's logs in /tmp/ray/session_latest/logs/serve on the machine at fault.",
            )
        if time.monotonic() - said > SAY_SECONDS:
            said = time.monotonic()
            log.warning("the cluster is not ready yet: %s", "; ".join(_troubles()) or found.message)
    return False


def _watch(ended: threading.Event) -> None:
    """Tell what goes wrong in the cluster, each thing once, until the end."""
    told: list[str] = []
    while not ended.wait(WATCH_SECONDS):
        troubles = list(_troubles())
        for trouble in troubles:
            if trouble not in told:
                log.warning("%s", trouble)
        told = troubles


def _troubles() -> Iterator[str]:
    """What keeps our deployments from being healthy."""
    found = serve.status().applications.get(APPLICATION)
    for name, deployment in found.deployments.items() if found else ():
        if deployment.status not in (
            DeploymentStatus.HEALTHY,
            DeploymentStatus.UPSCALING,
            DeploymentStatus.DOWNSCALING,
        ):
            lines = deployment.message.strip().splitlines()
            reason = next((line for line in reversed(lines) if "Error" in line), lines[-1] if lines else "")
            yield f"{name} is {deployment.status.value.lower()}: {reason.strip()[:500]}"


def _check_port(options: ServeOptions, port: int) -> None:
    """Serve keeps the address that it was first started with. Raises ServerUnavailableError."""
    host = _host(options)
    if not is_serve(host, port, tls=options.identity is not None):
        raise ServerUnavailableError(
            f"Ray Serve does not answer at {host} port {port}.",
            "It listens on the cluster's head: beyond that machine say --host 0.0.0.0. If it runs there already, with "
            "another --host or --port, or with or without a certificate as now, use these, or end it with "
            "`serve shutdown`.",
        )


def _host(options: ServeOptions) -> str:
    """By which the cluster's head can be reached."""
    address = read_address(options.cluster)
    return address.host if address and options.host in ("0.0.0.0", "::") else options.host


def _leave() -> None:
    """Take our application out of the cluster."""
    try:
        serve.delete(APPLICATION)
    except Exception as error:  # the boundary to Ray: the cluster may be gone before us
        log.warning("the cluster could not be left in order: %s", error)
