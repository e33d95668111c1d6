"""Proves what a destination holds, without copying: by the publisher's digest, else its source."""

import hashlib
import time

from lakebed.errors import DigestRefused, LakebedError, ProofFailed
from lakebed.model.objects import Object
from lakebed.model.operation import Item, Outcome, Proof, Unit
from lakebed.model.pair import published_digest
from lakebed.transfer.lanes.moved import read_whole
from lakebed.transfer.move import ENDS_OPERATION
from lakebed.transfer.outcomes import failed, proved
from lakebed.transfer.pipe import DEPTH
from lakebed.transfer.recorder import Recorder
from lakebed.transfer.sides import Job, Side, Sides


class UnitProver:
    """Proves units and tells the recorder; a difference is a failed object."""

    def __init__(self, sides: Sides, recorder: Recorder) -> None:
        self._sides, self._recorder = sides, recorder

    def __call__(self, unit: Unit) -> list[Outcome]:
        outcomes = [self._outcome(item, unit) for item in unit.items]
        self._recorder.settled(outcomes)
        return outcomes

    def _outcome(self, item: Item, unit: Unit) -> Outcome:
        began = time.monotonic()
        try:
            proof, sha256 = self._proof(item, unit)
        except ENDS_OPERATION:
            raise
        except LakebedError as error:
            return failed(item, error)
        return proved(item, proof, sha256, seconds=time.monotonic() - began)

    def _proof(self, item: Item, unit: Unit) -> tuple[Proof, str | None]:
        source = item.source
        if source is None:
            raise AssertionError("what is not at the source has nothing to be proved against")
        if unit.digest is not None and item is unit.items[0]:
            return self._by_publisher(source, item.key, unit.digest)
        return self._by_source(source, item)

    def _by_publisher(self, archive: Object, key: str, sidecar: Object) -> tuple[Proof, str | None]:
        _, content = read_whole(self._sides, Job(sidecar, sidecar.key))
        digest = published_digest(b"".join(content), archive.key)
        found = self._sha256(self._sides.destination, self._sides.destination.location.key(key))
        if digest != found:
            raise DigestRefused(
                f"its publisher names sha256 {digest or 'nothing'}, the destination has {found}",
                subject=key,
            )
        return Proof.PUBLISHER_SHA256, found

    def _by_source(self, source: Object, item: Item) -> tuple[Proof, str | None]:
        destination = self._sides.destination
        key = destination.location.key(item.key)
        held = destination.store.head(destination.bucket, key)
        if held.size != source.size:
            raise ProofFailed(
                f"the source has {source.size} bytes, the destination {held.size}",
                subject=item.key,
            )
        found = Object(key, held.size, held.etag, source.modified)
        if source.md5 is not None and source.md5 == found.md5:
            return Proof.ETAG_MD5, None
        ours = self._sha256(destination, key)
        theirs = self._sha256(self._sides.source, source.key, source.etag)
        if ours != theirs:
            raise ProofFailed(
                f"the source has sha256 {theirs}, the destination {ours}", subject=item.key
            )
        return Proof.CONTENT_SHA256, ours

    def _sha256(self, side: Side, key: str, revision: str | None = None) -> str:
        digest = hashlib.sha256()

        def take(data: bytes) -> None:
            digest.update(data)
            self._sides.passed(len(data))

        with self._sides.budget.reserve(DEPTH):
            # Pinned, so that a body that is cut short can be resumed.
            etag = revision or side.store.head(side.bucket, key).etag
            side.store.get(side.bucket, key, take, if_match=etag)
        return digest.hexdigest()
