"""The tables of the pages that are made from the code: `python docs/tables.py` renews them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, TypeGuard, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lakebed.api.requests import SyncRequest
from lakebed.archive.upload import Uploaded
from lakebed.configurations.difference import Change
from lakebed.errors import LakebedError, every_error
from lakebed.executor.app import described
from lakebed.executor.problems import CODES, STATUSES
from lakebed.model.operation import NEXT_STATES, Decision, ObjectState, OperationState, Summary
from lakebed.model.quarantine import Quarantined
from lakebed.observe.catalogue import CATALOGUE
from lakebed.operations.bulletin import Progress
from lakebed.operations.states import exit_code
from lakebed.operations.watch import Snapshot
from lakebed.settings import Settings, StoreSettings
from lakebed.settings.finding import Finding
from lakebed.settings.root import BUILT_IN
from lakebed.settings.schema import meanings
from lakebed.store.capabilities import Capability

PAGES = tuple(
    Path(__file__).with_name(name)
    for name in ("api.md", "configuration.md", "design.md", "events.md", "metrics.md")
)
TABLE = re.compile(r"(?<=<!-- table: )(?P<name>[a-z ]+) -->\n.*?(?=<!-- end -->)", re.DOTALL)

OPERATION_MEANING = {
    OperationState.QUEUED: "is in the ledger, and nobody runs it yet",
    OperationState.RUNNING: "a process has its lease",
    OperationState.COMPLETED: "everything is as it was asked for",
    OperationState.PARTIAL: "it reached its end, and some objects failed",
    OperationState.QUARANTINED: "it reached its end, none failed, some are in quarantine",
    OperationState.FAILED: "an error ended it as a whole",
    OperationState.CANCELLED: "somebody ended it for good",
    OperationState.INTERRUPTED: "it was stopped before its end: a signal, a kill, `--max-duration`",
}
OBJECT_MEANING = {
    ObjectState.PENDING: "planned, not settled",
    ObjectState.DONE: "acknowledged by the destination and proved; of `verify`: proved",
    ObjectState.FAILED: "not done; its error says why",
    ObjectState.QUARANTINED: "its publisher's own digest refuses the pair; the evidence is kept",
    ObjectState.DELETED: "deleted at the destination; or moved, so deleted at the source",
}
_BY_ERROR = (OperationState.FAILED, OperationState.INTERRUPTED)

_RUN, _PLAN = "`sync`, `verify`, `resume`", "`plan`, `sync --dry-run`"
_UPLOAD = ("operation_id", "state", "location", "upload_id", "initiated", "sent_bytes", "size")
EVENTS: tuple[tuple[str, str, Iterable[str]], ...] = (
    ("`started`", _RUN, ("operation_id",)),
    ("`progress`", _RUN, [name for name in Snapshot.__dataclass_fields__ if name != "last"]),
    (
        "`copied`, `failed`, `quarantined`, `deleted`",
        _RUN,
        ("key", "size", "lane", "proof", "error", "message"),
    ),
    ("`summary`", f"{_RUN}, `cancel`", Summary.__dataclass_fields__),
    ("`decision`", _PLAN, ("decision", "key", "size", "reason")),
    ("`summary`", _PLAN, (*Decision, "bytes", "nothing_deleted")),
    ("`summary`", "`ls --summary`", ("objects", "bytes")),
    ("`failed`, `quarantined`", "`operations ID`", ("key", "state", "error", "message")),
    ("`released`", "`quarantine release`", ("pairs",)),
    ("`verified`", "`audit verify`", ("entries", "heads", "wrong", "number")),
    ("`aborted`, `would-abort`", "`uploads abort`", _UPLOAD),
    ("`finding`", "`config check`", Finding.__dataclass_fields__),
    ("`checked`", "`config check`", ("errors", "warnings")),
    ("`rolled-back`", "`config rollback`", ("version", "kept", "written", "removed", "copies")),
    ("`serving`", "`store serve`", ("endpoint", "engine", "directory")),
    ("`summary`", "`archive generate`", Uploaded.__dataclass_fields__),
)
OPTIONS = {
    "source": "SOURCE",
    "destination": "DESTINATION",
    "operation_mode": "--mode",
    "configuration.max_concurrent": "--concurrency",
    "configuration.part_size_mb": "--part-size",
    "configuration.retry_count": "--retries",
    "configuration.enable_checksum_validation": "--no-extra-reads",
    "configuration.delete_source_after_sync": "--delete-source",
    "configuration.delete_extra": "--delete",
    "configuration.max_delete": "--max-delete",
    "configuration.on_change": "--on-change",
    "configuration.compare": "--compare",
    "configuration.ignore_existing": "--ignore-existing",
    "configuration.server_side": "--server-side",
    "configuration.memory_mb": "--memory",
    "configuration.bandwidth": "--bandwidth",
    "configuration.max_errors": "--max-errors",
    "configuration.fail_fast": "--fail-fast",
    "configuration.max_duration_seconds": "--max-duration",
    "configuration.tags": "--tags",
    "configuration.storage_class": "--storage-class",
    "configuration.sse": "--sse",
    "filters.patterns": "--include, --exclude",
    "filters.min_size": "--min-size",
    "filters.max_size": "--max-size",
    "filters.newer": "--newer",
    "filters.older": "--older",
    "filters.keys": "--files-from",
    "priority": "",
    "scheduled_for": "",
    "notification.webhook_url": "",
    "notification.notify_on_progress": "",
    "notification.notify_on_completion": "",
}
"""What a request says, and the options that say the same."""
HERE_ONLY = {
    *("--inventory", "--from0", "--metrics-listen", "--metrics-file"),
    *("--executor", "--json", "--report", "--dry-run"),
}
"""Options of `sync` that are about this machine, or about how it is told."""
_OUTCOME = ("event", "key", "size", "lane", "proof", "error", "message")
STREAM: tuple[tuple[str, str, Iterable[str]], ...] = (
    ("`queued`", "it was asked for", ()),
    ("`started`", "a run of it began", ()),
    ("`objects`", "a list of what became of objects, each as an event of events.md", _OUTCOME),
    ("`progress`", "how far it is, once a second", Progress.__dataclass_fields__),
    ("`summary`", "it is over", Summary.__dataclass_fields__),
)
_OPERATION = ("operation_id", "kind", "source", "destination", "created", "started", "finished")
_STORE = ("store", "endpoint", "region", "credentials", "addressing", "digests", "default")
_VERSION = ("version", "loaded", "author", "environment", "sha256", "files")
RECORDS: tuple[tuple[str, str, Iterable[str]], ...] = (
    ("an object", "`ls`", ("key", "size", "etag", "modified")),
    (
        "an operation",
        "`operations`, first of `operations ID`",
        dict.fromkeys((*_OPERATION, *Summary.__dataclass_fields__)),
    ),
    ("a pair", "`quarantine list`", Quarantined.__dataclass_fields__),
    ("an upload", "`uploads list`", _UPLOAD),
    ("a value", "`config show`", ("key", "value", "from")),
    ("a change", "`config diff`, `config rollback`", Change.__dataclass_fields__),
    ("a version", "`config history`", _VERSION),
    ("a store", "`stores`", _STORE),
    ("a bucket that was probed", "`stores`", ("location", *Capability, "note")),
)
_ELSEWHERE = ("stores", "name")
"""Fields that are no keys: tables with a name, and that name."""
_COMPUTED = {
    "state": "the user's folder for state, on Linux `~/.local/state/lakebed`",
    "ledger": "the file `ledger.sqlite` in `state`",
    "addressing": '`"path"` with an `endpoint`, else `"virtual"`',
}
"""Defaults that depend on the user or on other keys."""
_WRITTEN: tuple[tuple[object, str], ...] = (
    (SecretStr, "text, `env:NAME` or `file:PATH`"),
    (str, "text"),
    (Path, "path"),
    (bool, "`true`, `false`"),
    (int, 'bytes, or a text as `"10M"`'),
    (float, 'seconds, or a text as `"30s"`'),
    (tuple[str, ...], "list of texts"),
)
"""How a value of each type is written."""


def renewed(page: str) -> str:
    """`page` with each table between its markers as the code has it now."""
    return TABLE.sub(lambda found: f"{found['name']} -->\n{_TABLES[found['name']]()}", page)


def operation_states() -> str:
    rows = [
        (f"`{state}`", meaning, _names(NEXT_STATES[state]), _exit_code(state))
        for state, meaning in OPERATION_MEANING.items()
    ]
    return _table(("operation", "meaning", "may become", "exit code"), rows)


def object_states() -> str:
    rows = [(f"`{state}`", meaning) for state, meaning in OBJECT_MEANING.items()]
    return _table(("object", "meaning"), rows)


def errors() -> str:
    rows = [
        (f"`{error.code}`", error.__name__, f"`{error.exit_code.value}`", _yes(error.retryable))
        for error in _in_families(LakebedError)
    ]
    return _table(("code", "class", "exit code", "tried again"), rows)


def metrics() -> str:
    rows = [
        (f"`{metric.name}`", metric.type, ", ".join(f"`{n}`" for n in metric.labels), metric.help)
        for metric in CATALOGUE
    ]
    return _table(("metric", "type", "labels", "meaning"), rows)


def events() -> str:
    return _table(("event", "of", "fields"), [_event(*row) for row in EVENTS])


def records() -> str:
    return _table(("record", "of", "fields"), [_event(*row) for row in RECORDS])


def settings() -> str:
    return _table(_SETTING, list(_keys(Settings)))


def store_settings() -> str:
    return _table(_SETTING, list(_keys(StoreSettings)))


def built_in_stores() -> str:
    rows = [
        (f"`{name}`", ", ".join(f"`{key} = {json.dumps(value)}`" for key, value in table.items()))
        for name, table in BUILT_IN.items()
    ]
    return _table(("store", "as if it were written"), rows)


def requests() -> str:
    rows = [
        (f"`{method.upper()} {path}`", _taken(asked), _answered(asked), _sentence(asked))
        for path, methods in described().openapi()["paths"].items()
        for method, asked in methods.items()
    ]
    return _table(("request", "takes", "answers", "meaning"), rows)


def names() -> str:
    return _table(("name", "option", "default", "meaning"), list(_fields(SyncRequest)))


def stream() -> str:
    return _table(("event", "when", "fields of its data"), [_event(*row) for row in STREAM])


def problems() -> str:
    rows = [
        (f"`{error.code}`", str(_status(error)), _yes(error.retryable))
        for error in _in_families(LakebedError)
    ]
    named = {code for code, _, _ in rows}
    of_http = ((f"`{code}`", str(status), "") for status, code in CODES.items())
    rows += [row for row in of_http if row[0] not in named]
    return _table(("code", "status", "retryable"), rows)


_SETTING = ("key", "value", "default", "meaning")


def _event(event: str, command: str, names: Iterable[str]) -> tuple[str, str, str]:
    return event, command, ", ".join(f"`{name}`" for name in names)


def _keys(model: type[BaseModel], table: str = "") -> Iterator[tuple[str, ...]]:
    """A row for each key, with those of the tables in it."""
    told = meanings(model)
    for name, field in model.model_fields.items():
        inner = model_of(field)
        if inner is not None:
            yield from _keys(inner, f"{table}{name}.")
        elif name not in _ELSEWHERE:
            written = "number" if _is_count(field) else _values(field.annotation)
            yield f"`{table}{name}`", written, _default(name, field), told[name]


def model_of(field: FieldInfo) -> type[BaseModel] | None:
    """The table that a key is, also where it may be left out."""
    found = (one for one in (field.annotation, *get_args(field.annotation)) if _is_model(one))
    return next(found, None) if get_origin(field.annotation) is not dict else None


def _is_count(field: FieldInfo) -> bool:
    """A size is read from a text too, a count is not."""
    return field.annotation is int and not any(
        isinstance(one, BeforeValidator) for one in field.metadata
    )


def _fields(model: type[BaseModel], table: str = "") -> Iterator[tuple[str, ...]]:
    """A row for each field of a request, with those of the objects in it."""
    for name, field in model.model_fields.items():
        inner = model_of(field)
        if inner is not None and f"{table}{name}" not in OPTIONS:
            yield from _fields(inner, f"{name}.")
            continue
        option = OPTIONS[f"{table}{name}"]
        given = "" if field.is_required() else f"`{_json(field.default)}`"
        shown = f"`{option}`" if option else ""
        yield f"`{table}{name}`", shown, given, " ".join((field.description or "").split())


def _is_model(annotation: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _json(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _taken(asked: Mapping[str, Any]) -> str:
    body = asked.get("requestBody", {}).get("content", {}).get("application/json")
    given = [f"`{one['name']}`" for one in asked.get("parameters", ()) if one["in"] != "path"]
    return ", ".join(([_model(body)] if body else []) + given)


def _answered(asked: Mapping[str, Any]) -> str:
    status, answer = min(asked["responses"].items())
    told = [_model(content) or f"`{media}`" for media, content in answer.get("content", {}).items()]
    return f"{status} {', '.join(told)}".strip()


def _model(content: Mapping[str, Any]) -> str:
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return f"`{name}`" if name else ""


def _sentence(asked: Mapping[str, Any]) -> str:
    return str(asked["description"]).split("\n\n")[0].replace("\n", " ")


def _status(error: type[LakebedError]) -> int:
    return next(status.value for kind, status in STATUSES if issubclass(error, kind))


def _values(annotation: object) -> str:
    for kind, written in _WRITTEN:
        if annotation == kind:
            return written
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{json.dumps(value)}`" for value in get_args(annotation))
    if get_origin(annotation) is Annotated:
        return _values(get_args(annotation)[0])
    if get_origin(annotation) is dict:
        return "table"
    if get_origin(annotation) is tuple:
        return "list of texts"
    (inner,) = (one for one in get_args(annotation) if one is not NoneType)
    return _values(inner)


def _default(key: str, field: FieldInfo) -> str:
    if field.default_factory is not None:
        return _COMPUTED[key]
    known = field.default is not None and field.default is not PydanticUndefined
    return f"`{json.dumps(field.default)}`" if known else ""


def _in_families(error: type[LakebedError]) -> Iterator[type[LakebedError]]:
    yield error
    for child in every_error():
        if child.__base__ is error:
            yield from _in_families(child)


def _exit_code(state: OperationState) -> str:
    if state in _BY_ERROR:
        return "that of its error"
    summary = Summary("", state, 0, 0, 0, 0, 0, 0, 0, 0.0)
    return f"`{exit_code(summary).value}`"


def _names(states: frozenset[OperationState]) -> str:
    return ", ".join(f"`{state}`" for state in OperationState if state in states) or "nothing else"


def _yes(value: bool) -> str:
    return "yes" if value else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


_TABLES = {
    "operation states": operation_states,
    "object states": object_states,
    "errors": errors,
    "metrics": metrics,
    "events": events,
    "records": records,
    "requests": requests,
    "names": names,
    "stream": stream,
    "problems": problems,
    "settings": settings,
    "store settings": store_settings,
    "built in stores": built_in_stores,
}

if __name__ == "__main__":
    for page in PAGES:
        page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
