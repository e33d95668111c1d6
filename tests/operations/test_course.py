"""The course of an operation, in either database."""

import json
from itertools import pairwise

from sqlalchemy import Engine, insert

from lakebed.database.tables import events
from lakebed.database.transaction import writing
from lakebed.operations.course import POINTS, course
from lakebed.operations.ledger import Ledger
from tests.operations.conftest import REQUEST


def told(engine: Engine, words: int) -> str:
    """An operation whose process said so many words on its progress, each after an outcome."""
    operation_id = Ledger(engine).create(REQUEST)
    rows = [
        {"operation": operation_id, "number": number, "at": 0.0, "kind": kind, "data": data}
        for word in range(words)
        for number, kind, data in (
            (2 * word + 1, "objects", "[]"),
            (2 * word + 2, "progress", json.dumps(said(word))),
        )
    ]
    if rows:
        with writing(engine) as connection:
            connection.execute(insert(events), rows)
    return operation_id


def said(word: int) -> dict[str, float]:
    return {"seconds": float(word), "throughput": word * 1.5, "in_flight": word % 7}


def test_a_short_one_is_told_word_by_word(engine: Engine) -> None:
    told(engine, 5)
    points = course(engine, told(engine, 50))
    assert [(one.seconds, one.throughput, one.in_flight) for one in points] == [
        (word, word * 1.5, word % 7) for word in range(50)
    ]


def test_a_long_one_is_thinned_evenly_up_to_its_last_word(engine: Engine) -> None:
    points = course(engine, told(engine, 5000))
    assert len(points) == POINTS
    assert points[-1].number == 10_000
    gaps = {after.number - before.number for before, after in pairwise(points)}
    assert max(gaps) <= 2 * 10_000 // POINTS


def test_one_of_which_nobody_told_has_none(engine: Engine) -> None:
    assert course(engine, told(engine, 0)) == []
