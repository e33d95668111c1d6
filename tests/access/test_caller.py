"""What a grant covers, and what a caller may."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.access.caller import LOCAL, Caller, Grant
from lakebed.access.permission import PERMISSIONS, Permission, Role
from lakebed.errors import Forbidden
from lakebed.model.location import Location
from lakebed.settings.access import RoleName

WORDS = st.sampled_from(["a", "ab", "b", "klines", "klines2", "..", ".", ""])
PATHS = st.lists(WORDS, max_size=4).map("/".join)
LOCATIONS = st.builds(
    Location, st.sampled_from(["lake", "lake2", "file", ""]), st.sampled_from(["b", "b2"]), PATHS
)
PLACES = st.one_of(
    st.builds("{}:".format, st.sampled_from(["lake", "lake2"])),
    st.builds("{}:{}/{}".format, st.just("lake"), st.sampled_from(["b", "b2"]), PATHS),
    st.builds("{}:{}".format, st.just("lake"), st.sampled_from(["b", "b2"])),
)


def resolved(location: Location) -> str:
    """The key that somebody reads who takes `..` for the folder above."""
    parts: list[str] = []
    for part in [location.bucket, *location.path.split("/")]:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


@given(PLACES, LOCATIONS)
def test_a_grant_never_covers_what_is_outside_its_prefix(place: str, location: Location) -> None:
    if not Grant(place).covers(location):
        return
    store, _, rest = place.partition(":")
    assert location.store == store
    folder = rest if rest.endswith("/") or not rest else rest + "/"
    here = f"{location.bucket}/{location.path}"
    bucket_only = "/" not in rest
    assert here == rest or here.startswith(folder if bucket_only else rest)
    if rest:
        assert resolved(location).startswith(resolved(Location(store, *_split(rest))))


def _split(rest: str) -> tuple[str, str]:
    bucket, _, path = rest.partition("/")
    return bucket, path


@pytest.mark.parametrize(
    ("place", "covered", "outside"),
    [
        ("*", "lake:bronze/a", None),
        ("lake:", "lake:bronze/a", "lake2:bronze/a"),
        ("lake:bronze", "lake:bronze/a/b", "lake:bronze2/a"),
        ("lake:bronze/", "lake:bronze", "lake:silver"),
        ("lake:bronze/klines/", "lake:bronze/klines/x/", "lake:bronze/klines2/"),
        ("lake:bronze/klines/", "lake:bronze/klines/", "lake:bronze/klines"),
        ("lake:bronze/a.zip", "lake:bronze/a.zip", "lake:bronze/a.zip.old"),
        ("lake:bronze/klines/", "lake:bronze/klines/a", "lake:bronze/klines/../b"),
        ("lake:bronze", "lake:bronze/a", "lake:bronze/../silver/a"),
        ("lake:", "lake:bronze/a", "file:///etc/"),
        ("lake", "lake:bronze/a", None),
    ],
)
def test_a_grant_names_a_place(place: str, covered: str, outside: str | None) -> None:
    assert Grant(place).covers(Location.parse(covered)) is (place != "lake")
    if outside is not None:
        assert not Grant(place).covers(Location.parse(outside))


def test_a_caller_that_is_written_down_is_read_again() -> None:
    caller = Caller(
        "oidc:https://example.com#1",
        "ada",
        frozenset({Role.WORKFLOW_OPERATOR}),
        (Grant("lake:b/", write=True),),
        ("engineers",),
    )
    assert Caller.from_json(caller.to_json()) == caller


def test_a_role_that_is_no_more_gives_nothing() -> None:
    text = LOCAL.to_json().replace("infrastructure_admin", "emperor")
    assert Caller.from_json(text).permissions == frozenset()


def test_nobody_asked_for_what_names_no_caller() -> None:
    with pytest.raises(Forbidden):
        Caller.from_json("{}")


def test_each_role_of_the_configuration_is_one() -> None:
    assert set(get_args(RoleName)) == set(Role)


def test_deleting_is_a_permission_that_an_operator_does_not_have() -> None:
    assert Permission.SYNC_DELETE not in PERMISSIONS[Role.WORKFLOW_OPERATOR]
    assert Permission.SYNC_DELETE in PERMISSIONS[Role.STORAGE_ADMIN]


def test_an_admin_may_everything_and_a_reader_starts_nothing() -> None:
    assert LOCAL.permissions == frozenset(Permission)
    reader = Caller("key:1", "reader", frozenset({Role.READONLY_USER}), ())
    for permission in (Permission.SYNC_EXECUTE, Permission.STORAGE_WRITE, Permission.KEYS_MANAGE):
        with pytest.raises(Forbidden, match=str(permission)):
            reader.check(permission)
