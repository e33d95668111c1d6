from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lakebed.errors import (
    BucketMissing,
    Exit,
    Interrupted,
    LeaseLost,
    LimitReached,
    OperationError,
)
from lakebed.model.operation import NEXT_STATES, OperationState, Summary
from lakebed.operations.states import FINISHED, advance, exit_code, verdict

FINAL = (OperationState.COMPLETED, OperationState.CANCELLED)
SUMMARY = Summary("0", OperationState.RUNNING, 0, 0, 0, 0, 0, 0, 0, 0.0)


class Life(RuleBasedStateMachine):
    """Whatever is asked for, an operation stays within the law."""

    def __init__(self) -> None:
        super().__init__()
        self.past = [OperationState.QUEUED]

    @rule(new=st.sampled_from(OperationState))
    def ask(self, new: OperationState) -> None:
        current = self.past[-1]
        try:
            self.past.append(advance(current, new))
        except OperationError:
            assert new not in NEXT_STATES[current]
        else:
            assert self.past[-1] is new

    @invariant()
    def it_never_leaves_an_end(self) -> None:
        assert not any(state in FINAL for state in self.past[:-1])

    @invariant()
    def it_works_only_while_it_runs(self) -> None:
        worked = FINISHED - {OperationState.CANCELLED, OperationState.FAILED}
        for before, after in zip(self.past, self.past[1:], strict=False):
            assert before is not after
            assert after not in worked or before is OperationState.RUNNING

    @invariant()
    def it_is_never_queued_again(self) -> None:
        assert OperationState.QUEUED not in self.past[1:]


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)


@pytest.mark.parametrize("state", FINAL)
def test_what_has_ended_for_good_says_what_to_do_instead(state: OperationState) -> None:
    with pytest.raises(OperationError, match="start a new operation"):
        advance(state, OperationState.RUNNING)


@pytest.mark.parametrize(
    ("pending", "failed", "quarantined", "state"),
    [
        (0, 0, 0, OperationState.COMPLETED),
        (0, 0, 1, OperationState.QUARANTINED),
        (0, 1, 0, OperationState.PARTIAL),
        (0, 1, 1, OperationState.PARTIAL),
        (1, 1, 1, OperationState.INTERRUPTED),
    ],
)
def test_the_verdict_follows_from_the_rows(
    pending: int, failed: int, quarantined: int, state: OperationState
) -> None:
    counted = replace(SUMMARY, pending=pending, failed=failed, quarantined=quarantined)
    assert verdict(counted) is state


@pytest.mark.parametrize(
    ("state", "error", "message", "code"),
    [
        (OperationState.COMPLETED, None, None, Exit.COMPLETED),
        (OperationState.PARTIAL, None, None, Exit.FAILED_OBJECTS),
        (OperationState.PARTIAL, LimitReached.code, "", Exit.FAILED_OBJECTS),
        (OperationState.QUARANTINED, None, None, Exit.QUARANTINED),
        (OperationState.FAILED, BucketMissing.code, "", Exit.STORE),
        (OperationState.FAILED, LimitReached.code, "", Exit.FAILED_OBJECTS),
        (OperationState.FAILED, None, None, Exit.DEFECT),
        (OperationState.CANCELLED, "cancelled", "", Exit.ELSEWHERE),
        (OperationState.RUNNING, None, None, Exit.ELSEWHERE),
        (OperationState.QUEUED, None, None, Exit.ELSEWHERE),
        (OperationState.INTERRUPTED, None, None, Exit.SIGINT),
        (OperationState.INTERRUPTED, Interrupted.code, "stopped by SIGINT", Exit.SIGINT),
        (OperationState.INTERRUPTED, Interrupted.code, "stopped by SIGTERM", Exit.SIGTERM),
        (OperationState.INTERRUPTED, LeaseLost.code, "", Exit.ELSEWHERE),
    ],
)
def test_each_end_has_its_exit_code(
    state: OperationState, error: str | None, message: str | None, code: Exit
) -> None:
    assert exit_code(replace(SUMMARY, state=state, error=error, message=message)) is code
