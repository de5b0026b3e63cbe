"""`/healthz` and `/readyz`: for whoever watches the daemon, or sends it requests."""

from typing import Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from dialer.web.access import open_to_all
from dialer.web.problems import Problem, documented
from dialer.web.services import Services

router = APIRouter(tags=["health"], dependencies=[Depends(open_to_all)])


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


@router.get("/healthz", responses=documented(429))
async def healthz() -> Alive:
    """Whether the process answers: it always does, or not at all."""
    return Alive()


@router.get("/readyz", responses=documented(429, 503))
async def readyz(request: Request) -> Alive:
    """Whether callbacks are taken in and dialled: the store can be written, and a PBX can be dialled through."""
    services: Services = request.app.state.services
    if not await services.daemon.store_ready():
        raise Problem(503, "store", "the store cannot be written", headers={"retry-after": "5"})
    if not services.daemon.pbx_ready():
        what = "no PBX can be dialled through; callbacks are taken in and wait"
        raise Problem(503, "pbx", what, headers={"retry-after": "5"})
    return Alive()
