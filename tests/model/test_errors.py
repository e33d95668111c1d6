"""The error tree and its one table."""

import re

import pytest

from lakebed.errors import (
    EXIT_MEANING,
    Exit,
    LakebedError,
    StoreError,
    every_error,
    exit_code_of,
)


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [error.code for error in every_error()]
    assert sorted(set(codes)) == sorted(codes)


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.code)
def test_a_code_is_a_stable_word(error: type[LakebedError]) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", error.code)
    assert "code" in vars(error), "a code that is inherited is not its own"


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.code)
def test_a_code_leads_to_the_exit_code_of_its_error(error: type[LakebedError]) -> None:
    assert exit_code_of(error.code) is error.exit_code
    assert error.exit_code is not Exit.COMPLETED


def test_a_code_that_nobody_knows_is_a_defect() -> None:
    assert exit_code_of("no-such-code") is Exit.DEFECT


def test_every_exit_code_has_its_meaning() -> None:
    assert EXIT_MEANING.keys() == set(Exit)


def test_exit_codes_are_those_of_the_table() -> None:
    assert [int(code) for code in Exit] == [0, 1, 2, 3, 4, 5, 6, 130, 143]


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.code)
def test_an_error_says_what_failed_on_what_and_what_to_change(error: type[LakebedError]) -> None:
    raised = error("it failed", subject="lake:bronze/a.zip", advice="try another one")
    assert str(raised) == "lake:bronze/a.zip: it failed (try another one)"
    assert str(error("it failed")) == "it failed"
    assert (raised.what, raised.subject, raised.advice) == (
        "it failed",
        "lake:bronze/a.zip",
        "try another one",
    )


def test_a_store_may_say_how_long_to_wait() -> None:
    assert StoreError("busy", retry_after=2.5).retry_after == 2.5
    assert StoreError("busy").retry_after is None


def test_what_the_user_must_change_is_not_tried_again() -> None:
    again = {error.code for error in every_error() if error.retryable}
    assert again == {
        "store-unreachable",
        "throttled",
        "store-fault",
        "body-truncated",
        "ledger",
        "too-many-requests",
        "executor-unreachable",
        "issuer-away",
    }
