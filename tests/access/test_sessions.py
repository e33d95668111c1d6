"""Sign-in codes and sessions, in a database of either kind."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, func, select

from lakebed.access.caller import LOCAL
from lakebed.access.sessions import Sessions
from lakebed.access.tickets import Purpose, Tickets
from lakebed.database.tables import tickets as table
from tests.operations.conftest import Clock


@pytest.fixture
def tickets(engine: Engine, clock: Clock) -> Tickets:
    return Tickets(engine, clock)


def test_a_code_opens_once(tickets: Tickets) -> None:
    code = tickets.issue(Purpose.CODE, "me", 60.0)
    assert tickets.redeem(Purpose.CODE, code) == "me"
    assert tickets.redeem(Purpose.CODE, code) is None


def test_of_many_who_show_a_code_at_once_one_is_let_in(tickets: Tickets) -> None:
    code = tickets.issue(Purpose.CODE, "me", 60.0)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: tickets.redeem(Purpose.CODE, code), range(8)))
    assert sorted(told, key=str) == [None] * 7 + ["me"]


def test_a_code_is_no_session_and_a_session_no_code(tickets: Tickets) -> None:
    code = tickets.issue(Purpose.CODE, "me", 60.0)
    session = Sessions(tickets).begin(LOCAL, 60.0)
    assert tickets.read(Purpose.SESSION, code) is None
    assert tickets.redeem(Purpose.CODE, session) is None


def test_what_has_expired_opens_nothing_and_is_forgotten(
    tickets: Tickets, engine: Engine, clock: Clock
) -> None:
    code = tickets.issue(Purpose.CODE, "me", 60.0)
    clock.now += 60.0
    assert tickets.redeem(Purpose.CODE, code) is None
    tickets.issue(Purpose.CODE, "you", 60.0)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(table)) == 1


def test_a_sign_out_holds_at_every_replica(tickets: Tickets, engine: Engine, clock: Clock) -> None:
    here, elsewhere = Sessions(tickets), Sessions(Tickets(engine, clock))
    secret = here.begin(LOCAL, 60.0)
    found = elsewhere.find(secret)
    assert found is not None
    assert found.caller == LOCAL
    here.end(secret)
    assert elsewhere.find(secret) is None


def test_each_session_has_a_csrf_token_of_its_own(tickets: Tickets) -> None:
    sessions = Sessions(tickets)
    one, other = (sessions.find(sessions.begin(LOCAL, 60.0)) for _ in range(2))
    assert one is not None
    assert other is not None
    assert one.is_shown(one.csrf)
    assert not one.is_shown(other.csrf)
    assert not one.is_shown("")
    assert not one.is_shown("é")
