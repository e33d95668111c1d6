"""An operation as the body of a request: the other way from `requests`.

What has no meaning at an executor is refused with one line: it would look for files of its own
machine.
"""

from typing import TypeVar

from pydantic import ValidationError

from lakebed.api.requests import (
    MOST_KEYS,
    Configuration,
    FilterSpec,
    PatternRule,
    PlanRequest,
    SyncRequest,
    VerifyRequest,
)
from lakebed.errors import UsageError
from lakebed.model.location import Location
from lakebed.model.operation import Filters, Options, Request
from lakebed.model.quantity import MIB

B = TypeVar("B", bound=PlanRequest)


def sync_body(request: Request) -> SyncRequest:
    """Raises UsageError."""
    return _body(SyncRequest, request)


def verify_body(request: Request) -> VerifyRequest:
    """Raises UsageError."""
    return _body(VerifyRequest, request)


def plan_body(request: Request) -> PlanRequest:
    """Raises UsageError."""
    return _body(PlanRequest, request)


def _body(kind: type[B], request: Request) -> B:
    options = request.options
    if options.inventory is not None:
        raise _refused("--inventory", "an inventory is a file of this machine")
    try:
        return kind(
            source=_place(request.source),
            destination=_place(request.destination),
            operation_mode=options.mode,
            configuration=_configuration(options),
            filters=_filters(options.filters),
        )
    except ValidationError as error:
        (first, *_) = error.errors(include_input=False)
        field = ".".join(map(str, first["loc"]))
        raise UsageError(f"an executor does not take it: {field}: {first['msg']}") from None


def _place(location: Location) -> str:
    if location.is_local:
        raise UsageError(
            "an executor does not see the folders of this machine",
            subject=str(location),
            advice="name a store, or leave out --executor",
        )
    return str(location)


def _configuration(options: Options) -> Configuration:
    if options.part_size is not None and options.part_size % MIB:
        raise _refused("--part-size", "an executor takes whole MiB")
    return Configuration(
        max_concurrent=options.concurrency,
        part_size_mb=None if options.part_size is None else options.part_size // MIB,
        retry_count=options.retries,
        enable_checksum_validation=options.extra_reads,
        delete_source_after_sync=options.delete_source,
        delete_extra=options.delete,
        max_delete=options.max_delete,
        on_change=options.on_change,
        compare=options.compare,
        ignore_existing=options.ignore_existing,
        server_side=options.server_side,
        memory_mb=options.memory // MIB,
        bandwidth=options.bandwidth,
        max_errors=options.max_errors,
        fail_fast=options.fail_fast,
        max_duration_seconds=options.max_duration,
        tags=options.tags,
        storage_class=options.storage_class,
        sse=options.sse,
    )


def _filters(filters: Filters) -> FilterSpec:
    if filters.keys_file is not None or len(filters.keys or ()) > MOST_KEYS:
        raise _refused("--files-from", f"an executor takes at most {MOST_KEYS:,} keys")
    return FilterSpec(
        patterns=tuple(
            PatternRule(include=glob) if takes else PatternRule(exclude=glob)
            for takes, glob in filters.patterns
        ),
        min_size=filters.min_size,
        max_size=filters.max_size,
        newer=filters.newer,
        older=filters.older,
        keys=filters.keys,
    )


def _refused(option: str, why: str) -> UsageError:
    return UsageError(f"{option} with --executor: {why}", advice="leave one of them out")
