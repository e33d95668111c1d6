"""What services have loaded, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from sqlalchemy import Engine

from lakebed.configurations.effective import canonical, fingerprint
from lakebed.configurations.history import History, author
from lakebed.errors import ConfigurationError, UsageError
from tests.configurations.layers import layers
from tests.operations.conftest import Clock


@pytest.fixture
def history(engine: Engine, clock: Clock) -> History:
    return History(engine, clock)


def test_what_is_loaded_is_remembered_whole(history: History, clock: Clock) -> None:
    text = "# für alle\nlog = 'info'\nstores.lake.secret_key = 'env:SK'\n"
    text += "stores.lake.access_key = 'a'\n"
    version = history.record(layers(text, "staging", "[executor]\nrunning = 9\n"), "me@here")
    assert version == history.version(1)
    assert (version.number, version.at, version.author) == (1, clock.now, "me@here")
    assert (version.environment, version.content["executor.running"]) == ("staging", 9)
    assert dict(version.files) == {
        "lakebed.toml": text,
        "lakebed.staging.toml": "[executor]\nrunning = 9\n",
    }
    assert version.sha256 == fingerprint(canonical(version.content))


def test_the_same_again_is_nothing_new(history: History) -> None:
    first = history.record(layers("log = 'info'"), "me")
    assert history.record(layers("log = 'info' # and why\n"), "you") == first
    assert history.versions() == [first]


def test_what_was_before_the_last_is_new_again(history: History) -> None:
    numbers = [
        history.record(layers(f"log = '{level}'"), "me").number
        for level in ("info", "error", "info")
    ]
    assert numbers == [1, 2, 3]


def test_each_environment_has_its_own_newest(history: History) -> None:
    first = history.record(layers("log = 'info'"), "me")
    staging = history.record(layers("log = 'info'", "staging"), "me")
    assert history.record(layers("log = 'info'"), "me") == first
    assert history.newest("staging") == staging
    assert history.newest("") == first
    assert history.newest("production") is None


def test_a_variable_makes_another_configuration(history: History) -> None:
    history.record(layers("log = 'info'"), "me")
    assert history.record(layers("log = 'info'", LAKEBED_LOG="error"), "me").number == 2


def test_one_with_a_secret_in_a_file_is_refused_by_its_line(history: History) -> None:
    text = "[stores.lake]\naccess_key = 'a'\nsecret_key = 'hush'\n"
    with pytest.raises(ConfigurationError, match=r"line 3: stores\.lake\.secret_key: a secret"):
        history.record(layers(text), "me")
    assert history.versions() == []


def test_one_that_is_wrong_is_refused(history: History) -> None:
    with pytest.raises(ConfigurationError, match="line 1: log"):
        history.record(layers("log = 3"), "me")


def test_versions_come_in_pages_the_newest_first(history: History) -> None:
    for running in range(1, 6):
        history.record(layers(f"executor.running = {running}"), "me")
    first = history.versions(limit=2)
    assert [one.number for one in first] == [5, 4]
    assert [one.number for one in history.versions(limit=9, before=4)] == [3, 2, 1]


def test_a_version_that_there_is_not_is_said_so(history: History) -> None:
    with pytest.raises(UsageError, match="7: no such version"):
        history.version(7)


def test_replicas_that_load_at_once_count_without_a_gap(history: History) -> None:
    texts = [f"executor.running = {1 + number % 4}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: history.record(layers(text), "me"), texts))
    numbers = [one.number for one in history.versions()]
    assert numbers == list(range(len(numbers), 0, -1))
    hashes = [one.sha256 for one in history.versions()]
    assert all(one != other for one, other in pairwise(hashes))


def test_the_author_is_a_user_and_a_machine() -> None:
    name, _, machine = author().partition("@")
    assert name
    assert machine
