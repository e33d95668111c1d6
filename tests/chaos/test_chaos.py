"""A few rounds of `make chaos`, each with a seed of its own that is printed where it fails."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.ground import ground
from tests.chaos.rounds import Ground
from tests.chaos.scene import WAYS, scene
from tests.fixtures_stores import Served


@pytest.fixture
def opened(minio_store: Served, tmp_path: Path) -> Iterator[Ground]:
    with ground(minio_store, tmp_path) as found:
        yield found


@pytest.mark.long
def test_whenever_it_is_killed_each_object_arrives_once_and_as_it_was_published(
    opened: Ground,
) -> None:
    first = random.SystemRandom().randrange(2**31)
    for seed in range(first, first + len(WAYS)):
        print(f"seed {seed}")
        print(opened.play(scene(seed)))


def test_a_seed_draws_the_same_scene_each_time_and_every_way_is_drawn() -> None:
    assert scene(7) == scene(7)
    assert {scene(seed).way for seed in range(len(WAYS))} == set(WAYS)
