# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire does what its document says, whatever is sent: schemathesis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks

from .process import ServerProcess

CHECKS = (
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
    openapi_checks.ignored_auth,
)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("attacked"), "--max-pixels", "10000")
    process.client().brains()
    yield process
    process.kill()


def document(server: ServerProcess) -> dict[str, Any]:
    request = Request(f"{server.url}/v1/openapi.json", headers={"Authorization": f"Bearer {server.token}"})
    with build_opener(ProxyHandler({})).open(request, timeout=20) as response:
        found: dict[str, Any] = json.load(response)
    return found


OPERATIONS = [
    ("GET", "/v1/health"),
    ("GET", "/metrics"),
    ("GET", "/v1/brains"),
    ("GET", "/v1/brain-offers"),
    ("GET", "/v1/brains/{name}"),
    ("DELETE", "/v1/brains/{name}"),
    ("POST", "/v1/blobs/missing"),
    ("PUT", "/v1/blobs/{sha}"),
    ("GET", "/v1/blobs/{sha}"),
    ("HEAD", "/v1/blobs/{sha}"),
    ("POST", "/v1/jobs"),
    ("POST", "/v1/jobs/resolve"),
    ("GET", "/v1/jobs/{job_id}"),
    ("DELETE", "/v1/jobs/{job_id}"),
    ("GET", "/v1/jobs/{job_id}/preview"),
    ("GET", "/v1/jobs/{job_id}/events"),
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_the_wire_does_what_it_says(attacked: ServerProcess, method: str, path: str) -> None:
    schema = schemathesis.openapi.from_dict(document(attacked))
    schema.config.update(base_url=attacked.url)
    headers = {"Authorization": f"Bearer {attacked.token}"}

    @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck])
    @given(case=schema[path][method].as_strategy())
    def attack(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, headers=headers, timeout=20)

    attack()


def test_every_route_is_in_it(attacked: ServerProcess) -> None:
    paths = document(attacked)["paths"]
    there = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    assert there == {*OPERATIONS, ("GET", "/v1/openapi.json")}
    assert "requestBody" in paths["/v1/jobs"]["post"]
    assert paths["/v1/health"]["get"].get("security") is None


def test_it_has_survived(attacked: ServerProcess) -> None:
    assert attacked.client().brains()
    assert attacked.process.poll() is None
    assert "Traceback" not in attacked.log.read_text()
