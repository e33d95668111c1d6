"""A few rounds of `make chaos` with two replicas, each with a seed that is printed."""

import random
from pathlib import Path

import pytest

from tests.chaos.replicas.ground import ground
from tests.chaos.replicas.run import play
from tests.chaos.replicas.scene import KILLS, OUTAGES, scene
from tests.database import postgresql
from tests.e2e.buckets import pairs

CONTENT = pairs(400)
USUAL = 4.0
"""Seconds among which the moments are drawn: while it starts, runs, and is over."""


@pytest.mark.long
@pytest.mark.skipif(bool(postgresql.why_not()), reason=postgresql.why_not() or "")
def test_whatever_befalls_two_replicas_each_object_arrives_once(tmp_path: Path) -> None:
    first = random.SystemRandom().randrange(2**31)
    with ground(tmp_path, CONTENT) as at:
        for seed, outages in ((first, False), (first + 1, False), (first + 2, True)):
            print(f"seed {seed}")
            print(play(at, CONTENT, seed, USUAL, outages=outages))


@pytest.mark.parametrize(("outages", "kinds"), [(False, KILLS), (True, OUTAGES)])
def test_a_seed_draws_the_same_blows_each_time_and_every_kind_is_drawn(
    outages: bool, kinds: tuple[str, ...]
) -> None:
    assert scene(7, outages=outages) == scene(7, outages=outages)
    drawn = {blow.what for seed in range(len(kinds)) for blow in scene(seed, outages=outages)}
    assert drawn == set(kinds)
