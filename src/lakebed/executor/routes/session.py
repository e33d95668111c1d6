"""Who is signed in at a browser: `/session`."""

from html import escape
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from lakebed.access.caller import LOCAL, Caller
from lakebed.access.oidc.login import Login
from lakebed.access.secret import new_secret
from lakebed.access.sessions import Session, csrf_of
from lakebed.api.session import CallerAnswer, GrantAnswer, SessionAnswer, SignIn
from lakebed.errors import Unauthenticated
from lakebed.executor.auditor import address_of
from lakebed.executor.callers import COOKIE, At, Signed, shown, spent
from lakebed.executor.console.pages import way_back
from lakebed.executor.service import Service

router = APIRouter(tags=["session"])
LOGIN_COOKIE = "lakebed_login"
LOGIN = "/session/oidc"
CALLBACK = LOGIN + "/callback"
LOGIN_SECONDS = 600
ARRIVED = (
    '<!doctype html><meta charset="utf-8"><title>Lakebed</title>'
    '<meta http-equiv="refresh" content="0;url={back}"><p><a href="{back}">Go on</a></p>'
)
"""A page of ours, since the cookie of a session goes with no request that another site began."""
Next = Annotated[
    str, Query(alias="next", max_length=2048, description="The page to come to, of this host.")
]
Parameter = Annotated[str, Query(description="As the issuer answers.", max_length=4096)]


@router.post("/session")
async def sign_in(body: SignIn, http: Request, response: Response, at: At) -> SessionAnswer:
    """Sign in, by a cookie that no script can read."""
    if at.reception.mode == "none":
        return _answer(Session(LOCAL, ""))
    if body.key is not None:
        caller = await shown(at, http, body.key)
    else:
        code = body.code or ""
        try:
            caller = await at.do(lambda: at.reception.redeem(code))
        except Unauthenticated:
            at.reception.failures.count(address_of(http))
            raise
    http.state.caller = caller
    http.state.allowance = await spent(at, http, caller)
    return _answer(Session(caller, await _begun(at, http, response, caller)))


@router.get("/session")
async def session(signed: Signed, response: Response) -> SessionAnswer:
    """Who is signed in."""
    response.headers["Cache-Control"] = "no-store"
    return _answer(signed)


@router.delete("/session", status_code=204)
async def sign_out(signed: Signed, http: Request, response: Response, at: At) -> None:
    """Sign out: the cookie opens nothing more, at any replica."""
    secret = http.cookies.get(COOKIE)
    if secret is not None and signed.csrf:
        await at.do(lambda: at.reception.sessions.end(secret))
    response.delete_cookie(COOKIE)


@router.get(LOGIN, response_class=RedirectResponse, status_code=303)
async def begin(http: Request, at: At, wanted: Next = "/") -> RedirectResponse:
    """Sign in at the issuer that is configured, and come to the page `next`."""
    login = Login(new_secret(), _redirect(at, http))
    answer = RedirectResponse(await at.reception.login_begun(login), status_code=303)
    answer.set_cookie(
        LOGIN_COOKIE,
        f"{login.secret}.{quote(way_back(wanted), safe='')}",
        max_age=LOGIN_SECONDS,
        path=LOGIN,
        secure=_is_secure(at, http),
        httponly=True,
        samesite="lax",  # the issuer sends the browser back here
    )
    return answer


@router.get(CALLBACK, response_class=HTMLResponse)
async def end(
    http: Request, at: At, state: Parameter = "", code: Parameter = "", error: Parameter = ""
) -> HTMLResponse:
    """The issuer sends the browser back."""
    at.reception.failures.check(address_of(http))
    try:
        secret, _, wanted = http.cookies.get(LOGIN_COOKIE, "").partition(".")
        if not secret or error:
            raise Unauthenticated("the sign-in was refused, or begun elsewhere")
        login = Login(secret, _redirect(at, http))
        caller = await at.reception.login_ended(login, state, code)
    except Unauthenticated:
        at.reception.failures.count(address_of(http))
        raise
    back = escape(way_back(unquote(wanted)))
    answer = HTMLResponse(
        ARRIVED.format(back=back), headers={"Content-Security-Policy": "default-src 'none'"}
    )
    await _begun(at, http, answer, caller)
    answer.delete_cookie(LOGIN_COOKIE, path=LOGIN)
    return answer


async def _begun(at: Service, http: Request, response: Response, caller: Caller) -> str:
    """Begin a session, whose cookie the response sets; its CSRF token."""
    http.state.caller, http.state.is_write = caller, True
    seconds = at.reception.session_seconds
    secret = await at.do(lambda: at.reception.sessions.begin(caller, seconds))
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(seconds),
        secure=_is_secure(at, http),
        httponly=True,
        samesite="strict",
    )
    response.headers["Cache-Control"] = "no-store"
    return csrf_of(secret)


def _redirect(at: Service, http: Request) -> str:
    return (at.settings.executor.public_url or str(http.base_url).rstrip("/")) + CALLBACK


def _is_secure(at: Service, http: Request) -> bool:
    return (at.settings.executor.public_url or str(http.base_url)).startswith("https:")


def _answer(signed: Session) -> SessionAnswer:
    caller = signed.caller
    return SessionAnswer(
        csrf=signed.csrf,
        caller=CallerAnswer(
            id=caller.id,
            name=caller.name,
            roles=sorted(caller.roles),
            grants=[GrantAnswer(place=grant.place, write=grant.write) for grant in caller.grants],
        ),
        permissions=sorted(caller.permissions),
    )
