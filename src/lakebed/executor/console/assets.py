"""The style and the script of all pages, each at an address that changes with its content."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from lakebed.report.templates import PLOTS, STYLE, asset

_HERE = Path(__file__).parent
FOREVER = "public, max-age=31536000, immutable"
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asset:
    name: str
    content: bytes
    media_type: str

    @property
    def path(self) -> str:
        digest = hashlib.sha256(self.content).hexdigest()[:16]
        return f"/console/assets/{digest}/{self.name}"


def _with(shared: tuple[str, ...], own: str, media_type: str) -> Asset:
    content = f"{asset(*shared)}\n{(_HERE / own).read_text(encoding='utf-8')}"
    return Asset(own, content.encode(), media_type)


ASSETS = {
    one.name: one
    for one in (
        _with(STYLE, "console.css", "text/css"),
        _with(PLOTS, "console.js", "text/javascript"),
    )
}


@router.get("/console/assets/{digest}/{name}")
async def file(digest: str, name: str) -> Response:
    found = ASSETS.get(name)
    if found is None or found.path != f"/console/assets/{digest}/{name}":
        raise HTTPException(404)
    headers = {"Cache-Control": FOREVER, "X-Content-Type-Options": "nosniff"}
    return Response(found.content, media_type=found.media_type, headers=headers)
