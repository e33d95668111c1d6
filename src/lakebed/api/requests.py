"""What a caller may ask for. Names of the API are those of docs/api.md, beside the options of the
command line that they stand for."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field

from lakebed.api.place import STRICT, Place, location_of
from lakebed.errors import UsageError
from lakebed.model.operation import (
    Compare,
    Filters,
    Kind,
    Mode,
    OnChange,
    Options,
    Request,
    ServerSide,
    check_part_size,
)
from lakebed.model.quantity import MIB, MIN_BANDWIDTH, parse_bandwidth, parse_size

MOST_KEYS = 10_000
MOST_PATTERNS = 100
MOST_PATTERN_TEXT = 16_384
"""Characters of all patterns together: each costs time for each key."""
MOST_BATCH = 100
DEFAULT_PART = 50 * MIB
LEAST_PART = 8 * MIB
"""As the engine has it by itself: eight fill the default memory."""


def _size(value: object) -> object:
    """A number, or a text like `64MiB`."""
    if not isinstance(value, str):
        return value
    try:
        return parse_size(value)
    except UsageError as error:
        raise ValueError(str(error)) from None


def _bandwidth(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_bandwidth(value)
    except UsageError as error:
        raise ValueError(str(error)) from None


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("no moment of a year from 1 to 9999 in UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
Size = Annotated[int, BeforeValidator(_size), Field(ge=0, lt=2**63)]
Pattern = Annotated[str, Field(min_length=1, max_length=1024)]
Key = Annotated[str, Field(min_length=1, max_length=1024)]


class Configuration(BaseModel):
    """How an operation is done."""

    model_config = STRICT

    max_concurrent: Annotated[int, Field(ge=1, le=256)] | None = None
    """Objects in flight at the most; by default as many as the stores take, from 32 on."""
    part_size_mb: Annotated[int, Field(ge=5, le=5000)] | None = None
    """MiB of a part, where an object needs parts; two must fit into the memory. By default 50, or
    a quarter of the memory where that is less, but not less than 8."""
    retry_count: Annotated[int, Field(ge=0, le=1000)] = 3
    """How often one request to a store is tried again."""
    enable_checksum_validation: bool = True
    """False drops the checks that cost an extra read; a digest that is seen to fail fails."""
    delete_source_after_sync: bool = False
    """Move: delete each object at the source, once its copy is proved."""
    delete_extra: bool = False
    """Delete at the destination what the source does not have."""
    max_delete: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    """Delete nothing where there would be more deletions than this."""
    on_change: OnChange = OnChange.REPLACE
    """What becomes of an object whose destination holds another revision."""
    compare: Compare = Compare.AUTO
    """What makes an object unchanged."""
    ignore_existing: bool = False
    """Leave alone whatever is at the destination already."""
    server_side: ServerSide = ServerSide.API
    """By what a store is asked to copy by itself, inside one endpoint."""
    memory_mb: Annotated[int, Field(ge=1, le=65_536)] = 64
    """MiB in flight at the most; less where the replica has less to give."""
    bandwidth: (
        Annotated[int, BeforeValidator(_bandwidth), Field(ge=MIN_BANDWIDTH, lt=2**63)] | None
    ) = None
    """Bytes a second each way; a text like `10M` is read too."""
    max_errors: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    """Stop after more failed objects than this."""
    fail_fast: bool = False
    """Stop at the first failed object."""
    max_duration_seconds: Annotated[float, Field(gt=0, le=3.2e9)] | None = None
    """Interrupt the operation, resumable, after so many seconds."""
    tags: bool = False
    """Copy the tags of objects too."""
    storage_class: Annotated[str, Field(max_length=64)] = ""
    """The storage class of what is written."""
    sse: Annotated[str, Field(max_length=2048)] = ""
    """The server-side encryption of what is written."""


class PatternRule(BaseModel):
    """One pattern; of several, the last that matches decides."""

    model_config = STRICT

    include: Pattern | None = None
    """Take what matches."""
    exclude: Pattern | None = None
    """Leave out what matches."""


class FilterSpec(BaseModel):
    """Which objects of the source are meant."""

    model_config = STRICT

    patterns: Annotated[tuple[PatternRule, ...], Field(max_length=MOST_PATTERNS)] = ()
    """In their order, as `--include` and `--exclude`; the last match wins."""
    min_size: Size | None = None
    """Bytes; a text like `10MiB` is read too."""
    max_size: Size | None = None
    """Bytes; a text like `5GiB` is read too."""
    newer: Moment | None = None
    """Modified since."""
    older: Moment | None = None
    """Modified before."""
    keys: Annotated[tuple[Key, ...], Field(max_length=MOST_KEYS)] | None = None
    """Only these keys, relative to the source."""


class NotificationSpec(BaseModel):
    """Where to tell of an operation."""

    model_config = STRICT

    webhook_url: Annotated[str, Field(min_length=1, max_length=2048)]
    """An HTTPS address that takes signed POST requests."""
    notify_on_progress: bool = False
    """Tell every 30 s how far it is."""
    notify_on_completion: bool = True
    """Tell of its end."""


class PlanRequest(BaseModel):
    """What would be done."""

    model_config = STRICT

    source: Place
    """From where."""
    destination: Place
    """To where."""
    operation_mode: Mode = Mode.AUTO
    """Which lanes may be taken; `docs/design.md` has the terms."""
    configuration: Configuration = Configuration()
    """How it is done."""
    filters: FilterSpec = FilterSpec()
    """Which objects are meant; all, where nothing is said."""

    _kind: Kind = Kind.SYNC

    def request(self, most_memory: int) -> Request:
        """The operation that is meant; `most_memory` is what a replica has, in bytes.

        Raises UsageError.
        """
        config = self.configuration
        if config.max_delete is not None and not config.delete_extra:
            raise UsageError(
                "max_delete without delete_extra",
                subject="configuration",
                advice="set delete_extra, or leave it out",
            )
        if config.delete_extra and self.filters.keys is not None:
            raise UsageError(
                "delete_extra with a list of keys would delete all that is not in the list",
                subject="configuration",
                advice="leave one of them out",
            )
        return Request(
            location_of(self.source, "source"),
            location_of(self.destination, "destination"),
            self._kind,
            _options(config, self.filters, self.operation_mode, most_memory),
        )


class VerifyRequest(PlanRequest):
    """Prove a destination against its source; copies nothing."""

    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    """The higher, the sooner; above 0 takes a permission of its own."""
    scheduled_for: Moment | None = None
    """Not before this moment."""
    notification: NotificationSpec | None = None
    """Where to tell of it."""

    _kind: Kind = Kind.VERIFY

    def request(self, most_memory: int) -> Request:
        config = self.configuration
        for name in ("delete_extra", "delete_source_after_sync"):
            if self._kind is Kind.VERIFY and getattr(config, name):
                raise UsageError(
                    f"{name} for a verification, which deletes nothing",
                    subject="configuration",
                    advice="leave it out, or ask for a sync",
                )
        return super().request(most_memory)

    @property
    def not_before(self) -> float:
        return self.scheduled_for.timestamp() if self.scheduled_for else 0.0


class SyncRequest(VerifyRequest):
    """Copy what is missing or changed, prove it, remember it."""

    _kind: Kind = Kind.SYNC


class BatchRequest(BaseModel):
    """Several syncs at once, accepted all or none."""

    model_config = STRICT

    requests: Annotated[tuple[SyncRequest, ...], Field(min_length=1, max_length=MOST_BATCH)]
    """Each becomes an operation of its own."""


class NewBucket(BaseModel):
    """A bucket to be made."""

    model_config = STRICT

    store: Annotated[str, Field(max_length=200)] = ""
    """The name of a configured store; empty for the default one."""
    bucket: Annotated[str, Field(min_length=3, max_length=63, pattern=r"^[a-z0-9][a-z0-9.-]+$")]
    """Its name."""


def _options(config: Configuration, filters: FilterSpec, mode: Mode, most_memory: int) -> Options:
    memory = min(config.memory_mb * MIB, most_memory)
    part_size = min(DEFAULT_PART, max(LEAST_PART, memory // 4))
    if config.part_size_mb is not None:
        part_size = config.part_size_mb * MIB
        check_part_size(part_size, memory)
    return Options(
        filters=_filters(filters),
        compare=config.compare,
        ignore_existing=config.ignore_existing,
        delete=config.delete_extra,
        max_delete=config.max_delete,
        delete_source=config.delete_source_after_sync,
        on_change=config.on_change,
        mode=mode,
        server_side=config.server_side,
        concurrency=config.max_concurrent,
        memory=memory,
        part_size=part_size,
        bandwidth=config.bandwidth,
        extra_reads=config.enable_checksum_validation,
        retries=config.retry_count,
        max_errors=config.max_errors,
        fail_fast=config.fail_fast,
        max_duration=config.max_duration_seconds,
        tags=config.tags,
        storage_class=config.storage_class,
        sse=config.sse,
    )


def _filters(spec: FilterSpec) -> Filters:
    written = sum(len(rule.include or rule.exclude or "") for rule in spec.patterns)
    if written > MOST_PATTERN_TEXT:
        raise UsageError(
            f"the patterns have more than {MOST_PATTERN_TEXT} characters together",
            subject="filters.patterns",
            advice="name keys, or ask for several operations",
        )
    return Filters(
        patterns=tuple(_rule(rule) for rule in spec.patterns),
        min_size=spec.min_size,
        max_size=spec.max_size,
        newer=spec.newer,
        older=spec.older,
        keys=spec.keys,
    )


def _rule(rule: PatternRule) -> tuple[bool, str]:
    if (rule.include is None) == (rule.exclude is None):
        raise UsageError("a pattern either includes or excludes", subject="filters.patterns")
    return (True, rule.include) if rule.include is not None else (False, rule.exclude or "")
