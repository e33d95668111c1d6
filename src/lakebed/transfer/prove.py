"""Proves what a destination holds, without copying: by the publisher's digest, else its source."""

import time

from lakebed.errors import DigestRefused, LakebedError, ProofFailed
from lakebed.model.objects import Object, md5_of_etag
from lakebed.model.operation import Item, Outcome, Proof, Unit
from lakebed.transfer.lanes.moved import pinned
from lakebed.transfer.move import ends_operation
from lakebed.transfer.outcomes import failed, proved
from lakebed.transfer.pipe import DEPTH
from lakebed.transfer.proof import read_digest
from lakebed.transfer.publisher import published
from lakebed.transfer.recorder import Recorder
from lakebed.transfer.sides import Sides


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
        except LakebedError as error:
            if ends_operation(self._sides, error):
                raise
            return failed(item, error)
        return proved(item, proof, sha256, seconds=time.monotonic() - began)

    def _proof(self, item: Item, unit: Unit) -> tuple[Proof, str | None]:
        if item.source is None:
            raise AssertionError("what is not at the source has nothing to be proved against")
        if unit.digest is not None and item is unit.items[0]:
            return self._by_publisher(item, item.source, unit.digest)
        return self._by_source(item, item.source)

    def _by_publisher(
        self, item: Item, archive: Object, sidecar: Object
    ) -> tuple[Proof, str | None]:
        digest = published(self._sides, sidecar, archive.key).digest
        found = self._held(item)
        if digest != found:
            raise DigestRefused(
                f"its publisher names sha256 {digest}, the destination has {found}",
                subject=item.key,
            )
        return Proof.PUBLISHER_SHA256, found

    def _by_source(self, item: Item, listed: Object) -> tuple[Proof, str | None]:
        destination = self._sides.destination
        head = destination.store.head(destination.bucket, destination.location.key(item.key))
        if head.size != listed.size:
            raise ProofFailed(
                f"the source has {listed.size} bytes, the destination {head.size}",
                subject=item.key,
            )
        if listed.md5 is not None and listed.md5 == md5_of_etag(head.etag):
            return Proof.ETAG_MD5, None
        ours, theirs = self._held(item), self._published(listed)
        if ours != theirs:
            raise ProofFailed(
                f"the source has sha256 {theirs}, the destination {ours}", subject=item.key
            )
        return Proof.CONTENT_SHA256, ours

    def _held(self, item: Item) -> str:
        """The SHA-256 of what the destination holds."""
        destination = self._sides.destination
        key = destination.location.key(item.key)
        with self._sides.budget.reserve(DEPTH):
            revision = destination.store.head(destination.bucket, key).etag
            return read_digest(self._sides, destination, key, revision)

    def _published(self, listed: Object) -> str:
        """The SHA-256 of the source's listed revision."""
        with self._sides.budget.reserve(DEPTH), pinned(listed.key):
            return read_digest(self._sides, self._sides.source, listed.key, listed.etag)
