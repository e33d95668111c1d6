"""What somebody may today who was let in before."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from lakebed.access.caller import LOCAL, Caller, Grant
from lakebed.access.keys import Keys
from lakebed.access.oidc.claims import mapped
from lakebed.access.permission import Role
from lakebed.access.standing import Standing
from lakebed.errors import Unauthenticated
from lakebed.settings.access import AccessSettings, OidcSettings

ISSUER = "https://login.example.com"
OIDC = OidcSettings.model_validate(
    {"issuer": ISSUER, "audience": "lakebed", "roles": {"engineers": "workflow_operator"}}
)


class Configured:
    """Settings that change while others read them."""

    def __init__(self, **given: object) -> None:
        self.now = AccessSettings.model_validate(given)

    def __call__(self) -> AccessSettings:
        return self.now


def test_an_owner_of_a_key_may_what_the_key_may_now(sqlite: Engine) -> None:
    keys = Keys(sqlite)
    key, shown = keys.create("night", [Role.READONLY_USER], [Grant("lake:")], None, "local")
    standing = Standing(Configured(mode="keys"), keys)
    earlier = replace(keys.caller(shown), roles=frozenset(Role), grants=(Grant("*", True),))
    assert standing.now(earlier) == keys.caller(shown)
    keys.revoke(key.id)
    with pytest.raises(Unauthenticated, match="revoked"):
        standing.now(earlier)


def test_groups_mean_what_the_configuration_says_now(sqlite: Engine) -> None:
    configured = Configured(mode="oidc", oidc=OIDC)
    standing = Standing(configured, Keys(sqlite))
    ada = mapped(f"oidc:{ISSUER}#1", "ada", ["engineers"], OIDC)
    assert standing.now(ada) == ada
    less = OIDC.model_copy(update={"roles": {"engineers": ("readonly_user",)}})
    configured.now = AccessSettings(mode="oidc", oidc=less)
    assert standing.now(ada).roles == {Role.READONLY_USER}
    configured.now = AccessSettings(mode="oidc", oidc=less.model_copy(update={"roles": {}}))
    assert standing.now(ada).permissions == frozenset()


def test_an_issuer_that_is_trusted_no_more_vouches_for_nobody(sqlite: Engine) -> None:
    other = OIDC.model_copy(update={"issuer": f"{ISSUER}.evil.example.com"})
    ada = mapped(f"oidc:{other.issuer}#1", "ada", ["engineers"], other)
    for configured in (Configured(mode="oidc", oidc=OIDC), Configured(mode="keys", oidc=other)):
        with pytest.raises(Unauthenticated):
            Standing(configured, Keys(sqlite)).now(ada)


def test_whoever_is_at_the_machine_may_all_only_where_the_service_is_on_loopback(
    sqlite: Engine,
) -> None:
    for mode in ("none", "token"):
        assert Standing(Configured(mode=mode), Keys(sqlite)).now(LOCAL) == LOCAL
    with pytest.raises(Unauthenticated):
        Standing(Configured(mode="keys"), Keys(sqlite)).now(LOCAL)
    with pytest.raises(Unauthenticated):
        Standing(Configured(mode="token"), Keys(sqlite)).now(Caller("x", "x", frozenset(), ()))
