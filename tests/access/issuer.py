"""An OpenID Connect issuer on loopback: honest, until a test has it do something else."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from lakebed.settings.access import Granted, OidcSettings

AUDIENCE = "lakebed"
CLIENT = "lakebed-console"
Json = dict[str, object]


def new_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


KEYS = {kid: new_key(kid) for kid in ("first", "second")}


def public(kid: str) -> Json:
    return {**KEYS[kid].as_dict(private=False)}


@dataclass
class FakeIssuer:
    """`url` is what its tokens name. What it publishes are the keys `published`."""

    url: str
    published: list[Json] = field(default_factory=lambda: [public("first")])
    discovery: Json = field(default_factory=dict)
    """What the discovery document says else than it would."""
    asked: list[str] = field(default_factory=list)
    body: bytes | None = None
    """What it answers to all, instead of what it was asked for."""
    status: int = 200
    answers: threading.Event = field(default_factory=threading.Event)
    """It is silent until this is set."""
    groups: tuple[str, ...] = ("engineers",)
    codes: dict[str, Json] = field(default_factory=dict)
    """What was asked for at sign-in, by code."""
    authorizations: list[str] = field(default_factory=list)
    """How clients said who they are."""
    claims: Json = field(default_factory=dict)
    """What an ID token says else than it would."""

    def settings(self, **more: object) -> OidcSettings:
        return OidcSettings.model_validate(
            {
                "issuer": self.url,
                "audience": AUDIENCE,
                "client_id": CLIENT,
                "roles": {"engineers": "workflow_operator", "readers": "readonly_user"},
                "grants": {"engineers": Granted(read=("here:",), write=("there:lake/raw/",))},
                **more,
            }
        )

    def token(self, kid: str = "first", alg: str = "RS256", **claims: object) -> str:
        """A token that is right but for what is said; a claim of None is left out."""
        return self.token_of(claims, kid, alg)

    def token_of(self, claims: Json, kid: str = "first", alg: str = "RS256") -> str:
        now = int(time.time())
        told: Json = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "0815",
            "exp": now + 300,
            "nbf": now - 1,
            "iat": now,
            "preferred_username": "ada",
            "groups": list(self.groups),
            **claims,
        }
        kept = {name: value for name, value in told.items() if value is not None}
        key = KEYS.get(kid, KEYS["first"])
        return jwt.encode({"alg": alg, "kid": kid}, kept, key, algorithms=[alg])

    def authorize(self, url: str) -> str:
        """What the browser is sent back to, once its owner has signed in there."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = dict(asked)
        return f"{asked['redirect_uri']}?code={code}&state={asked['state']}"

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, bytes]:
        self.asked.append(path)
        self.answers.wait()
        if self.body is not None:
            return self.status, self.body
        if path.endswith("/openid-configuration"):
            told: Json = {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                **self.discovery,
            }
            return self.status, json.dumps(told).encode()
        if path.endswith("/token"):
            return self._exchanged(form)
        return self.status, json.dumps({"keys": self.published}).encode()

    def _exchanged(self, form: dict[str, str]) -> tuple[int, bytes]:
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge:
            return 400, b'{"error": "invalid_grant"}'
        token = self.token_of({"aud": CLIENT, "nonce": asked["nonce"], **self.claims})
        return 200, json.dumps({"id_token": token}).encode()


@contextmanager
def issuing() -> Iterator[FakeIssuer]:
    """One that listens while the scope lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            if "Authorization" in self.headers:
                issuer.authorizations.append(self.headers["Authorization"])
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, form: dict[str, str]) -> None:
            status, body = issuer.answer(self.path, form)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # whoever asked may have left
                self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = FakeIssuer(f"http://127.0.0.1:{server.server_address[1]}/realm")
    issuer.answers.set()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield issuer
    finally:
        issuer.answers.set()
        server.shutdown()
        thread.join()
        server.server_close()
