"""API keys, in a database of either kind."""

import pytest
from sqlalchemy import Engine, select

from lakebed.access.caller import Grant
from lakebed.access.keys import Keys, KeyState
from lakebed.access.permission import Role
from lakebed.database.tables import api_keys
from lakebed.errors import Unauthenticated, UsageError
from tests.operations.conftest import Clock

GRANTS = (Grant("binance:"), Grant("lake:raw/", write=True))
ROLES = (Role.WORKFLOW_OPERATOR,)


@pytest.fixture
def keys(engine: Engine, clock: Clock) -> Keys:
    return Keys(engine, clock)


def test_a_key_opens_what_it_was_made_for(keys: Keys) -> None:
    key, shown = keys.create("night", ROLES, GRANTS, 60.0, "local:ada")
    caller = keys.caller(shown)
    assert (caller.id, caller.name) == (f"key:{key.id}", "night")
    assert (caller.roles, caller.grants) == (frozenset(ROLES), GRANTS)
    assert keys.now(key.id) == caller


def test_a_key_that_was_revoked_opens_nothing(keys: Keys, engine: Engine, clock: Clock) -> None:
    key, shown = keys.create("night", ROLES, GRANTS, None, "local")
    elsewhere = Keys(engine, clock)
    assert elsewhere.caller(shown)
    assert keys.revoke(key.id).state(clock()) is KeyState.REVOKED
    for replica in (keys, elsewhere):
        with pytest.raises(Unauthenticated, match="revoked"):
            replica.caller(shown)
        with pytest.raises(Unauthenticated, match="revoked"):
            replica.now(key.id)


def test_a_key_that_has_expired_opens_nothing(keys: Keys, clock: Clock) -> None:
    _, shown = keys.create("night", ROLES, GRANTS, 60.0, "local")
    clock.now += 59.0
    assert keys.caller(shown)
    clock.now += 1.0
    with pytest.raises(Unauthenticated, match="expired"):
        keys.caller(shown)


def test_whoever_knows_the_id_alone_is_told_nothing_of_it(keys: Keys) -> None:
    key, shown = keys.create("night", ROLES, GRANTS, None, "local")
    keys.revoke(key.id)
    for wrong in (shown[:-1] + ("A" if shown[-1] != "A" else "B"), "", "lkb_", shown + "a", "é"):
        with pytest.raises(Unauthenticated, match="no key"):
            keys.caller(wrong)
    with pytest.raises(Unauthenticated):
        keys.now("000000000000")


def test_the_secret_is_kept_nowhere(keys: Keys, engine: Engine) -> None:
    _, shown = keys.create("night", ROLES, GRANTS, None, "local")
    secret = shown.split("_", 2)[2]
    with engine.connect() as connection:
        row = connection.execute(select(api_keys)).one()
    assert secret not in str(row)
    assert len(row.secret_sha256) == 32


def test_keys_are_listed_with_what_became_of_them(keys: Keys, clock: Clock) -> None:
    old, _ = keys.create("old", ROLES, (), 1.0, "local")
    clock.now += 5.0
    new, _ = keys.create("new", ROLES, (), None, "local")
    told = [(key.id, key.state(clock())) for key in keys.list()]
    assert told == [(new.id, KeyState.VALID), (old.id, KeyState.EXPIRED)]


def test_a_key_is_revoked_once_and_an_unknown_one_never(keys: Keys, clock: Clock) -> None:
    key, _ = keys.create("night", ROLES, (), None, "local")
    first = keys.revoke(key.id).revoked
    clock.now += 5.0
    assert keys.revoke(key.id).revoked == first
    with pytest.raises(UsageError, match="no such key"):
        keys.revoke("000000000000")
