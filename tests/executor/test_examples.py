"""What docs/api.md shows is run, as it stands there."""

import json
import subprocess
import sys

import pytest

from lakebed.errors import LakebedError
from lakebed.store.contract import Store
from tests.docs.pages import DOCS, blocks
from tests.e2e.buckets import Bucket, pairs
from tests.e2e.process import PATIENCE, Lakebed
from tests.executor.replica import Replica, replica
from tests.fixtures_stores import Served

PAGE = DOCS / "api.md"
TOKEN = "lakebed-test-token"


@pytest.fixture
def places(store: Store) -> tuple[Bucket, Bucket]:
    """The buckets that the page speaks of."""
    found = (Bucket(store, "raw"), Bucket(store, "bronze"))
    for bucket in found:
        try:
            store.create_bucket(bucket.name)
        except LakebedError:
            bucket.clear()
    return found


@pytest.fixture
def named(lakebed: Lakebed, served: Served) -> Lakebed:
    """The same server by the names of the page."""
    fields = {
        "endpoint": served.endpoint,
        "access_key": served.access_key,
        "secret_key": served.secret_key,
    }
    other = {**fields, "endpoint": served.endpoint.replace("127.0.0.1", "localhost")}
    return lakebed.store("archive", **fields).store("lake", **other)


def _run(command: list[str], text: str, lakebed: Lakebed, executor: Replica) -> str:
    asking = lakebed.but(LAKEBED_EXECUTOR_URL=executor.url, LAKEBED_EXECUTOR_TOKEN=TOKEN)
    ended = subprocess.run(
        command,
        input=text,
        env=asking.environment,
        cwd=lakebed.folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def test_the_examples_do_what_they_show(named: Lakebed, places: tuple[Bucket, Bucket]) -> None:
    source, destination = places
    source.fill({**pairs(3), "large.zip": bytes(2048)})
    with replica(named) as executor:
        (shell,) = blocks(PAGE, "sh")
        told = _run(["bash", "-euo", "pipefail"], shell, named, executor).splitlines()
        assert json.loads(told[0])["event"] == "decision"
        assert '"event": "summary"' in "".join(told)
        assert destination.keys() == ["raw/large.zip"]
        assert told[-1].endswith('{"objects":[],"next":null}')
        (python,) = blocks(PAGE, "python")
        said = _run([sys.executable, "-"], python, named, executor)
        assert said.splitlines()[-1].startswith("completed {")
    assert len(destination.keys()) == 7
