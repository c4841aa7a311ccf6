# SPDX-License-Identifier: GPL-3.0-or-later
"""The house keeps its shape: what each floor of the package may import, and what each file begins with."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "blender_deepdream"
BELOW = {
    "": {"addon"},
    "addon": {"protocol"},
    "server": {"training", "engine", "protocol"},
    "training": {"engine", "protocol"},
    "engine": {"protocol"},
    "protocol": set[str](),
}
"""Each floor, and those it stands on. "" is the package's own __init__."""
BLENDER = {"addon_utils", "bl_ext", "bl_operators", "bl_ui", "blf", "bmesh", "bpy", "bpy_extras", "gpu", "mathutils"}
HTTP = {"fastapi", "http", "httpx", "requests", "socketserver", "starlette", "urllib", "uvicorn"}
RAY = "server/cluster/"
CLUSTER_ONLY = {"grpc", "ray"}


@dataclass(frozen=True)
class Import:
    """A name that a module imports. level: the dots before it. at_top: not inside a function."""

    line: int
    level: int
    name: str
    at_top: bool


def imports(tree: ast.AST, at_top: bool = True) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, 0, alias.name, at_top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield Import(node.lineno, node.level, node.module, at_top)
        elif isinstance(node, ast.ImportFrom):
            yield from (Import(node.lineno, node.level, alias.name, at_top) for alias in node.names)
        else:
            yield from imports(node, at_top and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def faults(source: str, path: str) -> list[str]:
    """What is wrong with a module's imports. path: like addon/node.py, from the package's folder."""
    floor = Path(path).parts[0] if "/" in path else ""
    found = []
    for item in imports(ast.parse(source)):
        fault = _relative_fault(item, path, floor) if item.level else _absolute_fault(item, floor)
        fault = _ray_fault(item, path) or fault if floor == "server" else fault
        if fault:
            found.append(f"blender_deepdream/{path}:{item.line}: {fault}")
    return found


def _relative_fault(item: Import, path: str, floor: str) -> str:
    folders = Path(path).parent.parts
    if item.level > len(folders) + 1:
        return "leaves the package: inside Blender there is something else above it"
    if floor == "" and item.at_top:
        return "the package's __init__ imports inside its functions only"
    target = (*folders[: len(folders) + 1 - item.level], *item.name.split("."))[0]
    if target in (floor, *BELOW[floor]):
        return ""
    return f"{floor or '__init__'} does not stand on {target}"


def _absolute_fault(item: Import, floor: str) -> str:
    root = item.name.split(".")[0]
    if root in (PACKAGE.name, "bl_ext"):
        return "absolute import of the package, which has another name inside Blender"
    if root in BLENDER:
        outside = floor != "addon" and (floor != "" or item.at_top)
        return f"{root} outside addon/" if outside else ""
    if floor == "engine" and root in HTTP:
        return f"{root} in engine/: HTTP is the server's"
    if root in sys.stdlib_module_names or (root in CLUSTER_ONLY and floor == "server"):
        return ""
    if floor in ("", "addon", "protocol") and root != "numpy":
        return f"third-party {root} in {floor or '__init__'}: only numpy is there in every Blender"
    return "" if root in declared() else f"{root} is not among the dependencies in pyproject.toml"


def _ray_fault(item: Import, path: str) -> str:
    """Whoever serves without a cluster has no Ray, and does not wait for it."""
    if path.startswith(RAY):
        return ""
    if item.level == 0 and (root := item.name.split(".")[0]) in CLUSTER_ONLY:
        return f"{root} outside {RAY}"
    return "cluster/ imported before it is asked for" if item.level and item.at_top and "cluster" in item.name else ""


@functools.cache
def declared() -> frozenset[str]:
    """The names under which pyproject.toml's dependencies are imported."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        requirements = tomllib.load(file)["project"]["dependencies"]
    wanted = {_plain(requirement) for requirement in requirements}
    known = importlib.metadata.packages_distributions()
    return frozenset(name for name, owners in known.items() if wanted & {_plain(owner) for owner in owners})


def _plain(requirement: str) -> str:
    name = "".join(letter if letter.isalnum() or letter in "-_." else " " for letter in requirement).split()[0]
    return name.lower().replace("_", "-")


MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES)
def test_imports_point_down(path: str) -> None:
    assert faults((PACKAGE / path).read_text("utf-8"), path) == []


@pytest.mark.parametrize(
    ("path", "source", "fault"),
    [
        ("__init__.py", "import bpy", "bpy outside addon/"),
        ("__init__.py", "from . import addon", "inside its functions only"),
        ("__init__.py", "def register():\n    from . import server", "__init__ does not stand on server"),
        ("protocol/settings.py", "def f():\n    import bpy", "bpy outside addon/"),
        ("server/app.py", "from mathutils import Vector", "mathutils outside addon/"),
        ("engine/dream.py", "import bpy.types", "bpy outside addon/"),
        ("addon/node.py", "import torch", "third-party torch in addon"),
        ("addon/panels/main.py", "def f():\n    from requests.auth import x", "third-party requests in addon"),
        ("protocol/client.py", "import torch.nn", "third-party torch in protocol"),
        ("engine/dream.py", "from ..server import app", "engine does not stand on server"),
        ("engine/dream.py", "from ..training import finetune", "engine does not stand on training"),
        ("engine/dream.py", "from .. import server", "engine does not stand on server"),
        ("engine/dream.py", "from http.client import HTTPConnection", "HTTP is the server's"),
        ("protocol/client.py", "from ..engine.dream import dream", "protocol does not stand on engine"),
        ("addon/operators/dream.py", "from ...server.cli import main", "addon does not stand on server"),
        ("addon/operators/dream.py", "from ...engine import dream", "addon does not stand on engine"),
        ("server/app.py", "from ..addon import node", "server does not stand on addon"),
        ("training/finetune.py", "if True:\n    from ..server import jobs", "training does not stand on server"),
        ("server/app.py", "from blender_deepdream.engine import dream", "absolute import of the package"),
        ("addon/node.py", "import blender_deepdream.protocol", "absolute import of the package"),
        ("addon/node.py", "from ...scripts import render", "leaves the package"),
        ("server/app.py", "import sortedcontainers", "not among the dependencies"),
        ("server/app.py", "def f():\n    import ray.serve", "ray outside server/cluster/"),
        ("server/app.py", "from .cluster.ingress import Ingress", "before it is asked for"),
        ("server/app.py", "def f():\n    import grpc", "grpc outside server/cluster/"),
        ("engine/dream.py", "import ray", "ray is not among the dependencies"),
    ],
)
def test_a_wrong_import_is_found(path: str, source: str, fault: str) -> None:
    found = faults(source, path)
    assert len(found) == 1
    assert fault in found[0]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("__init__.py", "from __future__ import annotations\ndef register():\n    from . import addon\n    import bpy"),
        (
            "addon/operators/dream.py",
            "import bpy\nimport numpy\nfrom ...protocol import errors\nfrom .. import node",
        ),
        ("server/app.py", "import fastapi\nfrom ..engine.dream import dream\nfrom . import jobs\nimport http"),
        ("engine/dream.py", "import torch\nfrom ..protocol.settings import KNOBS"),
        ("server/cluster/fleet.py", "from ray import serve\nfrom ..job import Job"),
        ("server/serve.py", "def f():\n    from .cluster.joining import join"),
    ],
)
def test_a_right_import_is_let_through(path: str, source: str) -> None:
    assert faults(source, path) == []


@pytest.mark.parametrize("folder", ["blender_deepdream", "scripts", "tests"])
def test_every_file_names_its_licence(folder: str) -> None:
    wanted = "# SPDX-License-Identifier: GPL-3.0-or-later\n"
    assert [str(path) for path in (ROOT / folder).rglob("*.py") if not path.read_text("utf-8").startswith(wanted)] == []
