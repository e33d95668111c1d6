"""Replicas say that they are there, and are forgotten once they do not."""

from dataclasses import replace

from sqlalchemy import Engine

from lakebed.operations.replicas import ALIVE, FORGOTTEN, alive, beat, leave, new_replica

NOW = 1_700_000_000.0


def test_a_replica_is_there_until_it_was_silent_for_a_while(engine: Engine) -> None:
    first = replace(new_replica("http://a", NOW), seen=NOW)
    second = replace(new_replica("http://b", NOW + 1), seen=NOW, running=2)
    beat(engine, second)
    beat(engine, first)
    assert alive(engine, NOW + 1) == [first, second]
    later = replace(first, seen=NOW + ALIVE, running=4)
    beat(engine, later)
    assert alive(engine, NOW + ALIVE + 1) == [later]


def test_one_that_leaves_is_gone_at_once(engine: Engine) -> None:
    replica = replace(new_replica("", NOW), seen=NOW)
    beat(engine, replica)
    leave(engine, replica)
    assert alive(engine, NOW) == []


def test_those_that_are_long_gone_are_not_kept(engine: Engine) -> None:
    gone = replace(new_replica("", NOW), seen=NOW)
    beat(engine, gone)
    beat(engine, replace(new_replica("", NOW), seen=NOW + FORGOTTEN + 1))
    assert gone not in alive(engine, NOW)
