"""What a bucket can do, as it is kept and as it is disabled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.store.capabilities import EVERYTHING, UNPROBED, Capabilities, Capability

CAPABILITIES = st.builds(
    Capabilities, st.frozensets(st.sampled_from(list(Capability))), st.text(max_size=20)
)


@given(CAPABILITIES)
def test_what_was_kept_is_what_was_found(found: Capabilities) -> None:
    assert Capabilities.from_json(found.to_json()) == found


@given(CAPABILITIES, st.frozensets(st.sampled_from(list(Capability))))
def test_what_is_disabled_is_not_there(found: Capabilities, disabled: frozenset[str]) -> None:
    kept = found.without(disabled)
    assert kept.names == found.names - disabled
    assert kept.note == found.note


def test_a_capability_is_disabled_by_its_word() -> None:
    assert Capability.SHA256 in EVERYTHING
    assert Capability.SHA256 not in EVERYTHING.without(frozenset({"sha256"}))


def test_the_least_is_nothing_and_a_source_is_listed_in_order() -> None:
    assert not any(one in Capabilities() for one in Capability)
    assert UNPROBED.names == {Capability.ORDERED}


@pytest.mark.parametrize("text", ['{"names": ["telepathy"], "note": ""}', "no json"])
def test_what_another_version_kept_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"telepathy|Expecting"):
        Capabilities.from_json(text)
