"""The real files that a publisher made go the same way as generated ones."""

import os
from pathlib import Path

import pytest

from lakebed.errors import Exit
from tests.e2e.buckets import Bucket, open_served
from tests.e2e.conftest import configure
from tests.e2e.process import Lakebed
from tests.fixtures_stores import Served

REPOSITORY = Path(__file__).parents[2]
NAMED = os.environ.get("LAKEBED_SAMPLES")
SAMPLES = Path(NAMED) if NAMED else REPOSITORY / "../shared/data/binance/data"


@pytest.fixture
def samples() -> dict[str, bytes]:
    if not SAMPLES.is_dir():
        pytest.skip("no sample files: LAKEBED_SAMPLES names their folder")
    files = sorted(path for path in SAMPLES.rglob("*") if path.is_file())
    return {str(path.relative_to(SAMPLES)): path.read_bytes() for path in files}


@pytest.mark.parametrize("engine", ["minio_store", "seaweedfs_store"])
def test_the_sample_files_are_proved_by_their_publisher(
    request: pytest.FixtureRequest, samples: dict[str, bytes], engine: str, tmp_path: Path
) -> None:
    served: Served = request.getfixturevalue(engine)
    configure(tmp_path, served)
    lakebed = Lakebed(tmp_path)
    store = open_served(served)
    source, destination = Bucket.create(store), Bucket.create(store)
    source.fill(samples)
    archives = sum(f"{key}.CHECKSUM" in samples for key in samples)
    locations = (f"here:{source.name}", f"there:{destination.name}/bronze/")

    ended = lakebed("sync", *locations, "--json")
    verified = lakebed("verify", *locations, "--json")

    content = destination.content()
    store.close()
    assert ended.code == Exit.COMPLETED, ended
    assert ended.counts("listed", "copied", "failed") == (len(samples), len(samples), 0)
    assert archives > 0
    assert _proved(ended.summary["proofs"]) == archives
    assert content == {f"bronze/{key}": data for key, data in samples.items()}
    assert verified.code == Exit.COMPLETED, verified
    assert _proved(verified.summary["proofs"]) == archives


def _proved(proofs: object) -> object:
    assert isinstance(proofs, dict)
    return proofs["publisher-sha256"]
