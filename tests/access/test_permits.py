"""What it takes to do an operation, and to see one."""

from dataclasses import replace

import pytest

from lakebed.access.caller import Caller, Grant
from lakebed.access.permission import Role
from lakebed.access.permits import check_request, may_see
from lakebed.errors import Forbidden
from lakebed.model.location import Location
from lakebed.model.operation import Filters, Kind, Options, Request

REQUEST = Request(Location.parse("binance:data/spot/"), Location.parse("lake:raw/spot/"))
READ, WRITE = Grant("binance:data/"), Grant("lake:raw/", write=True)


def caller(*grants: Grant, role: Role = Role.WORKFLOW_OPERATOR) -> Caller:
    return Caller("key:1", "night", frozenset({role}), grants)


def test_a_sync_takes_reading_its_source_and_writing_its_destination() -> None:
    check_request(caller(READ, WRITE), REQUEST)
    with pytest.raises(Forbidden, match="read here"):
        check_request(caller(WRITE), REQUEST)
    with pytest.raises(Forbidden, match="write here"):
        check_request(caller(READ, Grant("lake:raw/")), REQUEST)


def test_a_verification_only_reads() -> None:
    verify = replace(REQUEST, kind=Kind.VERIFY)
    check_request(caller(READ, Grant("lake:raw/")), verify)
    with pytest.raises(Forbidden):
        check_request(caller(READ), verify)


@pytest.mark.parametrize("options", [Options(delete=True), Options(delete_source=True)])
def test_deletions_take_a_permission_of_their_own(options: Options) -> None:
    request = replace(REQUEST, options=options)
    grants = (Grant("binance:", write=True), WRITE)
    with pytest.raises(Forbidden, match="sync:delete"):
        check_request(caller(*grants), request)
    check_request(caller(*grants, role=Role.STORAGE_ADMIN), request)


def test_a_move_takes_writing_its_source() -> None:
    request = replace(REQUEST, options=Options(delete_source=True))
    with pytest.raises(Forbidden, match="write here"):
        check_request(caller(READ, WRITE, role=Role.STORAGE_ADMIN), request)


def test_going_before_others_takes_a_permission() -> None:
    check_request(caller(READ, WRITE), REQUEST, priority=5)
    with pytest.raises(Forbidden, match="sync:prioritize"):
        check_request(caller(READ, WRITE, role=Role.STORAGE_ADMIN), REQUEST, priority=5)
    check_request(caller(READ, WRITE, role=Role.STORAGE_ADMIN), REQUEST, priority=-5)


def test_a_listed_key_leads_out_of_no_grant() -> None:
    options = Options(filters=Filters(keys=("2024/a.zip", "../../secret/a.zip")))
    with pytest.raises(Forbidden, match="secret"):
        check_request(caller(READ, WRITE), replace(REQUEST, options=options))


def test_an_operation_is_seen_by_who_may_read_both_its_ends() -> None:
    assert may_see(caller(READ, WRITE, role=Role.READONLY_USER), REQUEST)
    assert not may_see(caller(READ), REQUEST)
    assert not may_see(caller(WRITE), REQUEST)
    assert not may_see(Caller("key:1", "nobody", frozenset(), (READ, WRITE)), REQUEST)
