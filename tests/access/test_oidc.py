"""Tokens of an issuer: the right ones, the wrong ones, and an issuer that misbehaves."""

import asyncio
import base64
import hmac
import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from lakebed.access.caller import Caller, Grant
from lakebed.access.oidc import issuer as module
from lakebed.access.oidc.claims import caller_of
from lakebed.access.oidc.issuer import PAUSE, STALE, Issuer
from lakebed.access.oidc.token import claims_of
from lakebed.access.permission import Role
from lakebed.errors import IssuerAway, LakebedError, Unauthenticated
from lakebed.settings.access import OidcSettings
from tests.access.issuer import AUDIENCE, KEYS, FakeIssuer, Json, public
from tests.operations.conftest import Clock


def read(text: str, at: Issuer, given: OidcSettings) -> Caller:
    """Who shows this token."""
    return caller_of(asyncio.run(claims_of(text, at, given, given.audience)), given)


def test_a_token_tells_who_its_owner_is_and_what_its_groups_may(issuer: FakeIssuer) -> None:
    caller = read(issuer.token(), Issuer(issuer.url), issuer.settings())
    assert (caller.id, caller.name) == (f"oidc:{issuer.url}#0815", "ada")
    assert caller.roles == {Role.WORKFLOW_OPERATOR}
    assert caller.grants == (Grant("here:"), Grant("there:lake/raw/", write=True))
    assert caller.groups == ("engineers",)


def test_groups_are_found_below_a_path_or_under_a_name_with_dots(issuer: FakeIssuer) -> None:
    at = Issuer(issuer.url)
    nested = issuer.token(groups=None, realm_access={"roles": ["readers", 7]})
    assert read(nested, at, issuer.settings(roles_claim="realm_access.roles")).roles == {
        Role.READONLY_USER
    }
    dotted = issuer.token(groups=None, **{"https://example.com/groups": "readers"})
    where = "https://example.com/groups"
    assert read(dotted, at, issuer.settings(roles_claim=where)).groups == ("readers",)
    assert read(issuer.token(groups=None), at, issuer.settings()).permissions == frozenset()


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example.com"},
        {"iss": None},
        {"aud": "another-service"},
        {"aud": ["another-service"]},
        {"aud": None},
        {"exp": None},
        {"exp": 1_700_000_000},
        {"exp": "tomorrow"},
        {"nbf": 32_503_680_000},
        {"sub": None},
    ],
    ids=str,
)
def test_a_token_that_is_not_meant_for_here_and_now_is_refused(
    issuer: FakeIssuer, claims: Json
) -> None:
    with pytest.raises(Unauthenticated):
        read(issuer.token_of(claims), Issuer(issuer.url), issuer.settings())


def test_one_of_several_audiences_is_enough(issuer: FakeIssuer) -> None:
    token = issuer.token(aud=["another-service", AUDIENCE])
    assert read(token, Issuer(issuer.url), issuer.settings())


def segment(told: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()


def test_a_token_without_a_signature_is_refused(issuer: FakeIssuer) -> None:
    _, payload, signature = issuer.token().split(".")
    for algorithm in ("none", "None", "NONE", ""):
        head = segment({"alg": algorithm, "kid": "first"})
        for end in ("", signature):
            with pytest.raises(Unauthenticated):
                read(f"{head}.{payload}.{end}", Issuer(issuer.url), issuer.settings())


def test_a_public_key_is_no_shared_secret(issuer: FakeIssuer) -> None:
    pem = KEYS["first"].as_pem(private=False)
    payload = issuer.token().split(".")[1]
    signed = f"{segment({'alg': 'HS256', 'kid': 'first'})}.{payload}"
    mac = base64.urlsafe_b64encode(hmac.digest(pem, signed.encode(), "sha256"))
    forged = f"{signed}.{mac.rstrip(b'=').decode()}"
    with pytest.raises(Unauthenticated, match="not signed as it takes"):
        read(forged, Issuer(issuer.url), issuer.settings())


def test_a_key_that_the_token_itself_brings_is_not_used(issuer: FakeIssuer) -> None:
    own = ECKey.generate_key("P-256", {"kid": "first"})
    claims: Json = {"iss": issuer.url, "aud": AUDIENCE, "sub": "1", "exp": int(time.time()) + 300}
    head = {"alg": "ES256", "kid": "first", "jwk": own.as_dict(private=False)}
    with pytest.raises(Unauthenticated):
        read(jwt.encode(head, claims, own), Issuer(issuer.url), issuer.settings())


def test_only_signatures_of_the_allow_list_are_taken(issuer: FakeIssuer) -> None:
    at = Issuer(issuer.url)
    assert read(issuer.token(alg="PS256"), at, issuer.settings())
    with pytest.raises(Unauthenticated):
        read(issuer.token(alg="PS256"), at, issuer.settings(algorithms=("RS256",)))


def test_a_second_factor_can_be_asked_for(issuer: FakeIssuer) -> None:
    at, strict = Issuer(issuer.url), issuer.settings(amr="otp,hwk")
    assert read(issuer.token(amr=["pwd", "otp"]), at, strict)
    for amr in (["pwd"], [], None, "otp"):
        with pytest.raises(Unauthenticated, match="authenticated"):
            read(issuer.token(amr=amr), at, strict)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(st.text('abcXYZ019-_{}":', max_size=30), min_size=3, max_size=3).map(".".join),
        st.dictionaries(st.sampled_from(["alg", "kid", "crit", "b64", "zip"]), st.text()).map(
            lambda head: f"{segment({'alg': 'RS256', 'kid': 'first', **head})}.e30.AA"
        ),
        st.just(f"{segment({'alg': 'RS256', 'kid': 'first'})}.{'e30' * 9000}.AA"),
    )
)
def test_nothing_but_a_token_of_the_issuer_is_one(issuer: FakeIssuer, text: str) -> None:
    with pytest.raises((Unauthenticated, IssuerAway)):
        read(text, Issuer(issuer.url), issuer.settings())


def test_a_new_key_of_the_issuer_is_found_by_the_first_token_of_it(issuer: FakeIssuer) -> None:
    clock = Clock()
    at = Issuer(issuer.url, clock)
    assert read(issuer.token(), at, issuer.settings())
    issuer.published = [public("second")]
    clock.now += PAUSE
    assert read(issuer.token("second"), at, issuer.settings())
    with pytest.raises(Unauthenticated, match="does not have"):
        read(issuer.token("first"), at, issuer.settings())


def test_a_flood_of_unknown_keys_has_the_issuer_asked_once(issuer: FakeIssuer) -> None:
    clock = Clock()
    at, given = Issuer(issuer.url, clock), issuer.settings()
    assert read(issuer.token(), at, given)
    clock.now += PAUSE

    async def flood() -> list[object]:
        tokens = [issuer.token(kid=f"unknown-{number}") for number in range(50)]
        return await asyncio.gather(
            *(claims_of(token, at, given, AUDIENCE) for token in tokens), return_exceptions=True
        )

    assert {type(one) for one in asyncio.run(flood())} == {Unauthenticated}
    assert issuer.asked.count("/realm/keys") == 2


def test_a_token_of_a_known_key_does_not_wait_for_a_slow_issuer(issuer: FakeIssuer) -> None:
    clock = Clock()
    at, given = Issuer(issuer.url, clock, deadline=0.5), issuer.settings()

    async def meanwhile() -> None:
        await claims_of(issuer.token(), at, given, AUDIENCE)
        clock.now += PAUSE
        issuer.answers.clear()
        waiting = asyncio.create_task(claims_of(issuer.token(kid="new"), at, given, AUDIENCE))
        while len(issuer.asked) < 3:
            await asyncio.sleep(0)
        await claims_of(issuer.token(), at, given, AUDIENCE)
        assert not waiting.done()
        with pytest.raises(Unauthenticated):
            await waiting

    asyncio.run(meanwhile())


def test_an_issuer_that_does_not_answer_is_no_reason_to_let_anybody_in(
    issuer: FakeIssuer,
) -> None:
    issuer.answers.clear()
    with pytest.raises(IssuerAway):
        read(issuer.token(), Issuer(issuer.url, deadline=0.1), issuer.settings())


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 200), (b"[]", 200), (b"<html>", 200), (b"{" * 2**21, 200), (b"{}", 500), (b"{}", 302)],
    ids=["empty", "list", "page", "endless", "fault", "elsewhere"],
)
def test_an_answer_that_is_none_is_not_taken(issuer: FakeIssuer, body: bytes, status: int) -> None:
    issuer.body, issuer.status = body, status
    with pytest.raises(IssuerAway):
        read(issuer.token(), Issuer(issuer.url), issuer.settings())


@pytest.mark.parametrize(
    "told",
    [
        {"issuer": "https://elsewhere.example.com"},
        {"jwks_uri": "http://elsewhere.example.com/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
    ],
    ids=str,
)
def test_a_discovery_document_leads_nowhere_else(issuer: FakeIssuer, told: Json) -> None:
    issuer.discovery = told
    with pytest.raises(IssuerAway):
        read(issuer.token(), Issuer(issuer.url), issuer.settings())
    assert issuer.asked == ["/realm/.well-known/openid-configuration"]


def test_one_key_that_cannot_be_read_spoils_no_other(issuer: FakeIssuer) -> None:
    weak: Json = {"kty": "RSA", "kid": "weak", "n": "AQAB", "e": "AQAB"}
    issuer.published = [
        {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "?", "y": "?"},
        {"kty": "oct", "kid": "shared", "k": "AAAA"},
        {"kty": "RSA"},
        weak,
        {**public("second"), "use": "enc"},
        public("first"),
    ]
    at = Issuer(issuer.url)
    assert read(issuer.token(), at, issuer.settings())
    for kid in ("broken", "shared", "weak", "second"):
        with pytest.raises(Unauthenticated):
            read(issuer.token(kid), at, issuer.settings())


def test_keys_are_used_for_a_day_where_the_issuer_is_away(issuer: FakeIssuer) -> None:
    clock = Clock()
    at, given = Issuer(issuer.url, clock), issuer.settings()

    async def days() -> None:
        await claims_of(issuer.token(), at, given, AUDIENCE)
        issuer.status = 503
        clock.now += module.FRESH + 1
        await claims_of(issuer.token(), at, given, AUDIENCE)
        while at.is_asking:
            await asyncio.sleep(0.01)
        assert issuer.asked[2:] == ["/realm/.well-known/openid-configuration"]
        clock.now += STALE
        with pytest.raises(IssuerAway):
            await claims_of(issuer.token(), at, given, AUDIENCE)

    asyncio.run(days())


def test_no_error_repeats_a_token(issuer: FakeIssuer) -> None:
    token = issuer.token(aud="another-service")
    with pytest.raises(LakebedError) as refused:
        read(token, Issuer(issuer.url), issuer.settings())
    assert token.split(".")[1] not in str(refused.value)
