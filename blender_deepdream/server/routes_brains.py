# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of brains: what is in the library, and what could be."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from .answers import as_json
from .gate import needs
from .services import Services
from .tokens import Role


def brain_routes(services: Services) -> APIRouter:
    router = APIRouter()
    worker = services.jobs.worker

    @router.get("/brains")
    async def every() -> dict[str, Any]:
        brains = (await worker.fresh_facts()).brains
        return {"brains": [brain.to_json() for brain in brains.values()]}

    @router.get("/brain-offers")
    async def offers() -> dict[str, Any]:
        """Those that can be pulled: the job `pull_brain`."""
        return {"offers": await worker.ask("offers")}

    @router.get("/brains/{name}")
    async def one(name: str) -> JSONResponse:
        """By its name or by its id."""
        brains = (await worker.facts()).brains.values()
        names = [brain.name for brain in brains if brain.id == name]
        return as_json(await worker.brain_details(names[0] if names else name))

    @router.delete("/brains/{name}", dependencies=[Depends(needs(Role.ADMIN))])
    async def remove(name: str) -> JSONResponse:
        """Jobs that wait for it fail; one that runs with it ends well."""
        await worker.remove_brain(name)
        return as_json({"removed": name})

    return router
