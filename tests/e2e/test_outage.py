"""A store that goes away and comes back, and a name that nobody knows for a while."""

import shutil
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from lakebed.errors import Exit
from lakebed.local.embedded import EmbeddedStore
from tests.e2e.buckets import Bucket, open_served, pairs
from tests.e2e.conftest import configure
from tests.e2e.process import Lakebed
from tests.fixtures_stores import Served

NAME = "store.lakebed-test.invalid"


def _served(store: EmbeddedStore) -> Served:
    return Served(store.endpoint, store.access_key, store.secret_key, store.engine)


@pytest.mark.long
@pytest.mark.parametrize("engine", ["minio", "seaweedfs"])
def test_a_store_that_restarts_in_the_middle_costs_time_and_nothing_else(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    request.getfixturevalue(f"{engine}_store")  # skips where it cannot be had
    folder = tmp_path / "served"
    content = pairs(150)
    with ExitStack() as running:
        with EmbeddedStore(folder, engine=engine) as store:
            address = store.endpoint.removeprefix("http://")
            configure(tmp_path, _served(store))
            with closing(open_served(_served(store))) as opened:
                source, destination = Bucket.create(opened), Bucket.create(opened)
                source.fill(content)
            lakebed = Lakebed(tmp_path)
            ends = f"here:{source.name}", f"there:{destination.name}"
            options = "--json", "--retries", "2", "--concurrency", "1"
            command = running.enter_context(lakebed.started("sync", *ends, *options))
            operation = str(command.until("started")["operation_id"])
            command.until("copied", 20)
        stopped = command.end()
    # Connections are refused: more often than it tries again.
    assert (stopped.code, stopped.summary["error"]) == (Exit.STORE, "store-unreachable")
    assert stopped.summary["state"] == "failed"

    with EmbeddedStore(folder, address, engine=engine) as store:
        ended = lakebed("resume", operation, "--json")
        assert (ended.code, ended.summary["copied"]) == (Exit.COMPLETED, len(content))
        with closing(open_served(_served(store))) as opened:
            assert Bucket(opened, destination.name).content() == content


@pytest.fixture
def resolving(tmp_path: Path, served: Served) -> tuple[Lakebed, Path]:
    """A command that knows names from a file of ours alone, in a mount namespace of its own."""
    unshare = shutil.which("unshare")
    hosts, switch = tmp_path / "hosts", tmp_path / "nsswitch.conf"
    hosts.write_text("127.0.0.1 localhost\n")
    switch.write_text("hosts: files\n")
    into = f"mount --bind {hosts} /etc/hosts && mount --bind {switch} /etc/nsswitch.conf"
    prefix = (unshare or "unshare", "-rm", "sh", "-c", f'{into} && exec "$@"', "sh")
    if unshare is None or subprocess.run([*prefix, "true"], capture_output=True).returncode:
        pytest.skip("no mount namespace can be made here")
    configure(tmp_path, served)
    endpoint = served.endpoint.replace("127.0.0.1", NAME)
    return Lakebed(tmp_path, prefix=prefix).store("there", endpoint=endpoint), hosts


@pytest.mark.parametrize("served", ["minio", "seaweedfs"], indirect=True)
def test_a_name_that_nobody_knows_for_a_while_ends_the_run_and_a_resume_completes_it(
    resolving: tuple[Lakebed, Path], source: Bucket, destination: Bucket
) -> None:
    lakebed, hosts = resolving
    content = pairs(3)
    source.fill(content)
    arguments = ("sync", f"here:{source.name}", f"there:{destination.name}", "--json")

    unknown = lakebed(*arguments, "--retries", "1")

    assert (unknown.code, unknown.summary["error"]) == (Exit.STORE, "store-unreachable")
    assert NAME in str(unknown.summary["message"])
    assert destination.keys() == []
    hosts.write_text(f"127.0.0.1 localhost {NAME}\n")
    ended = lakebed("resume", str(unknown.summary["operation_id"]), "--json")
    assert (ended.code, ended.summary["copied"]) == (Exit.COMPLETED, len(content))
    assert destination.content() == content
