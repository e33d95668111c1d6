"""The states of an operation."""

import pytest

from lakebed.model.operation import NEXT_STATES, OperationState

FINAL = {OperationState.COMPLETED, OperationState.CANCELLED}


def test_every_state_says_what_may_follow_it() -> None:
    assert NEXT_STATES.keys() == set(OperationState)


@pytest.mark.parametrize("state", OperationState)
def test_only_what_is_completed_or_cancelled_is_final(state: OperationState) -> None:
    assert (not NEXT_STATES[state]) == (state in FINAL)


@pytest.mark.parametrize("state", OperationState)
def test_every_state_can_be_reached_and_every_way_ends(state: OperationState) -> None:
    assert state in reachable(OperationState.QUEUED)
    assert reachable(state) & FINAL


def reachable(start: OperationState) -> set[OperationState]:
    found = {start}
    waiting = [start]
    while waiting:
        new = NEXT_STATES[waiting.pop()] - found
        found |= new
        waiting.extend(new)
    return found
