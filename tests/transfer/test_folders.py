"""Folders of this machine as both ends of the engine."""

from pathlib import Path

import pytest

from lakebed.model.location import Location
from lakebed.model.objects import Attributes, Written
from lakebed.model.operation import Lane, Mode, ObjectState, Options, Proof
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import UNPROBED
from lakebed.store.folder.store import FolderStore
from lakebed.store.probe import Probe
from lakebed.transfer import sync
from lakebed.transfer.budget import Budget
from lakebed.transfer.sides import Side, Sides
from tests.transfer.engine import sidecar
from tests.transfer.memory_recorder import MemoryRecorder

DATA = b"archive" * 1000


class Miscopying(FolderStore):
    """The system's copies have other bytes than their sources."""

    def copy(
        self,
        source_bucket: str,
        source_key: str,
        bucket: str,
        key: str,
        *,
        if_match: str,
        attributes: Attributes | None = None,
    ) -> Written:
        super().copy(source_bucket, source_key, bucket, key, if_match=if_match)
        path = Path(bucket, key)
        path.write_bytes(path.read_bytes().swapcase())
        return Written(self.head(bucket, key).etag)


def synced(store: FolderStore, folder: Path, options: Options) -> MemoryRecorder:
    source, destination = (Location.parse(f"{folder}/{name}/") for name in ("source", "copy"))
    (folder / "source").mkdir()
    (folder / "copy").mkdir()
    (folder / "source/a.zip").write_bytes(DATA)
    (folder / "source/a.zip.CHECKSUM").write_bytes(sidecar("a.zip", DATA))
    cancellation, recorder = Cancellation(), MemoryRecorder()
    sides = Sides(
        Side(store, source, UNPROBED),
        Side(store, destination, Probe(store, destination.bucket, "").run()),
        options,
        Budget(options.memory, cancellation),
        cancellation,
    )
    sync.run(sides, recorder, settle=0.0)
    return recorder


@pytest.mark.parametrize(
    ("mode", "lane"), [(Mode.AUTO, Lane.SERVER_SIDE), (Mode.TRADITIONAL, Lane.STAGED)]
)
def test_a_pair_between_two_folders_is_proved_by_its_publisher(
    tmp_path: Path, mode: Mode, lane: Lane
) -> None:
    store = FolderStore(Cancellation(), "here")
    recorder = synced(store, tmp_path, Options(mode=mode))
    archive = recorder.outcomes["a.zip"]
    assert (archive.lane, archive.proof) == (lane, Proof.PUBLISHER_SHA256)
    assert (tmp_path / "copy/a.zip").read_bytes() == DATA


def test_a_copy_that_is_not_what_its_publisher_names_goes_another_way(tmp_path: Path) -> None:
    recorder = synced(Miscopying(Cancellation(), "here"), tmp_path, Options())
    archive = recorder.outcomes["a.zip"]
    assert (archive.state, archive.lane) == (ObjectState.DONE, Lane.WHOLE)
    assert (tmp_path / "copy/a.zip").read_bytes() == DATA
