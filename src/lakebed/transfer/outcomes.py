"""Outcomes as the ledger keeps them, made of items, lanes' answers and errors."""

from lakebed.errors import DigestRefused, LakebedError
from lakebed.model.operation import Item, ObjectState, Outcome, Proof
from lakebed.transfer.lanes.moved import Moved


def failed(item: Item, error: LakebedError, *, attempts: int = 1) -> Outcome:
    return Outcome(
        item.key,
        ObjectState.FAILED,
        size=_size(item),
        source_etag=_etag(item),
        error=error.code,
        message=str(error),
        attempts=attempts,
    )


def quarantined(
    item: Item, message: str, evidence: str | None = None, *, attempts: int = 1
) -> Outcome:
    """`evidence` only where there is some: what was refused before is remembered already."""
    return Outcome(
        item.key,
        ObjectState.QUARANTINED,
        size=_size(item),
        source_etag=_etag(item),
        error=DigestRefused.code,
        message=message,
        evidence=evidence,
        attempts=attempts,
    )


def done(item: Item, moved: Moved, *, attempts: int, seconds: float) -> Outcome:
    return Outcome(
        item.key,
        ObjectState.DONE,
        size=_size(item),
        source_etag=_etag(item),
        destination_etag=moved.destination_etag,
        lane=moved.lane,
        proof=moved.proof,
        sha256=moved.sha256,
        reread_bytes=moved.reread_bytes,
        attempts=attempts,
        seconds=seconds,
    )


def proved(item: Item, proof: Proof, sha256: str | None, *, seconds: float) -> Outcome:
    return Outcome(
        item.key,
        ObjectState.DONE,
        size=_size(item),
        source_etag=_etag(item),
        destination_etag=item.destination_etag or "",
        proof=proof,
        sha256=sha256,
        seconds=seconds,
    )


def deleted(item: Item) -> Outcome:
    return Outcome(item.key, ObjectState.DELETED, destination_etag=item.destination_etag or "")


def _size(item: Item) -> int:
    return item.source.size if item.source else 0


def _etag(item: Item) -> str:
    return item.source.etag if item.source else ""
