"""What an executor answers, as commands show it."""

from lakebed.api.answers import ObjectStatus, OperationStatus
from lakebed.api.storage import BucketCapabilities, StoreDescription
from lakebed.cli.engine.engine import Shown, StoreShown
from lakebed.model.operation import Kind, Summary
from lakebed.store.capabilities import Capabilities, Capability


def key_of(row: ObjectStatus) -> bytes:
    return row.key.encode()


def shown(status: OperationStatus) -> Shown:
    return Shown(
        status.kind,
        status.source,
        status.destination,
        status.created.timestamp(),
        status.started.timestamp() if status.started else None,
        status.finished.timestamp() if status.finished else None,
        resumed=status.resumed,
        filtered=status.filtered,
        summary=summary_of(status),
    )


def is_meant(store: StoreDescription, name: str) -> bool:
    return store.store == name if name else store.default


def capabilities_of(found: BucketCapabilities) -> Capabilities:
    """Of capabilities that this version does not know nothing is said."""
    able = frozenset(one for one in Capability if found.capabilities.get(one))
    return Capabilities(able, note=found.note)


def summary_of(status: OperationStatus) -> Summary:
    copies = status.kind is Kind.SYNC
    return Summary(
        operation_id=status.operation_id,
        state=status.state,
        listed=status.files_listed,
        copied=status.files_done if copies else 0,
        skipped=status.files_skipped,
        failed=status.files_failed,
        quarantined=status.files_quarantined,
        deleted=status.files_deleted,
        bytes=status.bytes_done if copies else 0,
        seconds=status.seconds,
        extra=status.files_extra,
        halves=status.half_pairs,
        pending=status.files_pending,
        reread_bytes=status.bytes_reread,
        lanes=status.lanes,
        proofs=status.proofs,
        error=status.error,
        message=status.message,
        note=status.note,
    )


def store_shown(store: StoreDescription) -> StoreShown:
    return StoreShown(
        store.store,
        store.endpoint,
        store.region,
        store.credentials,
        store.addressing,
        store.digests,
        store.default,
    )
