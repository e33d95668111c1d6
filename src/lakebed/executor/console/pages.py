"""How a page is made: its template, who looks at it, and what a browser may do with it."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment

from lakebed import __version__
from lakebed.access.caller import Caller
from lakebed.errors import LakebedError, Unauthenticated
from lakebed.executor.callers import COOKIE
from lakebed.executor.console.assets import ASSETS
from lakebed.executor.problems import status_of
from lakebed.executor.tracing import trace_id_of
from lakebed.model.quantity import format_duration
from lakebed.observe.log import redact
from lakebed.operations.states import FINISHED
from lakebed.report.advice import advice
from lakebed.report.templates import environment
from lakebed.report.text_report import reason

SIGN_IN = "/sign-in"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class PageRoute(APIRoute):
    """A route that answers a person: with a page also where it fails, and with the sign-in page
    where it has to know who asks."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except Unauthenticated:
                request.state.refused = 401
                return RedirectResponse(sign_in_for(request), 303, HEADERS)
            except LakebedError as error:
                return problem(request, status_of(error), error.what, str(error))
            except RequestValidationError:
                return problem(request, 422, "The address of this page is not understood", "")

        return answered


def page(request: Request, name: str, who: Caller | None, /, **values: object) -> HTMLResponse:
    """Render a template for a caller, of whom nothing is known on the pages that are open."""
    template = _templates().get_template(name)
    shown = template.render(
        here=request.url.path,
        who=who,
        now=datetime.now(UTC),
        has_session=COOKIE in request.cookies,
        **values,
    )
    return HTMLResponse(shown, headers=HEADERS)


def problem(request: Request, status: int, title: str, detail: str) -> HTMLResponse:
    told = page(
        request,
        "problem.html",
        None,
        title=redact(title),
        detail=redact(detail),
        trace_id=trace_id_of(request),
    )
    told.status_code = status
    return told


def sign_in_for(request: Request) -> str:
    """The sign-in page that leads back to where the browser was going."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"{SIGN_IN}?next={quote(wanted, safe='')}"


def way_back(wanted: str) -> str:
    """`wanted` where it is a path of this site, as a browser reads it; else the first page."""
    is_odd = not wanted.isprintable() or "\\" in wanted or not wanted.startswith("/")
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    leads_away = wanted.startswith("//") or parts.scheme or parts.netloc
    return "/" if is_odd or leads_away or parts.path == SIGN_IN else wanted


@cache
def _templates() -> Environment:
    made = environment(Path(__file__).with_name("templates"))
    made.filters |= {"lasted": format_duration, "ago": _ago, "given": _given}
    made.globals |= {
        "advice": advice,
        "reason": reason,
        "assets": ASSETS,
        "version": __version__,
        "FINISHED": FINISHED,
    }
    return made


def _given(query: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in query.items() if value is not None}


def _ago(moment: datetime, now: datetime) -> str:
    """`12 s ago`; of what is days ago its date."""
    seconds = max(0.0, (now - moment).total_seconds())
    if seconds >= 86_400:
        return f"{moment:%Y-%m-%d}"
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
