"""The tables of the pages that are made from the code: `python docs/tables.py` renews them."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import NoneType
from typing import Annotated, Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, SecretStr
from pydantic.fields import FieldInfo

from lakebed.archive.upload import Uploaded
from lakebed.configurations.difference import Change
from lakebed.errors import LakebedError, every_error
from lakebed.model.operation import NEXT_STATES, Decision, ObjectState, OperationState, Summary
from lakebed.model.quarantine import Quarantined
from lakebed.observe.catalogue import CATALOGUE
from lakebed.operations.states import exit_code
from lakebed.operations.watch import Snapshot
from lakebed.settings import Settings, StoreSettings
from lakebed.settings.finding import Finding
from lakebed.settings.root import BUILT_IN
from lakebed.settings.schema import meanings
from lakebed.store.capabilities import Capability

PAGES = tuple(
    Path(__file__).with_name(name)
    for name in ("configuration.md", "design.md", "events.md", "metrics.md")
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
    ("`progress`", _RUN, Snapshot.__dataclass_fields__),
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
    ("`aborted`, `would-abort`", "`uploads abort`", _UPLOAD),
    ("`finding`", "`config check`", Finding.__dataclass_fields__),
    ("`checked`", "`config check`", ("errors", "warnings")),
    ("`rolled-back`", "`config rollback`", ("version", "kept", "written", "removed", "copies")),
    ("`serving`", "`store serve`", ("endpoint", "engine", "directory")),
    ("`summary`", "`archive generate`", Uploaded.__dataclass_fields__),
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


_SETTING = ("key", "value", "default", "meaning")


def _event(event: str, command: str, names: Iterable[str]) -> tuple[str, str, str]:
    return event, command, ", ".join(f"`{name}`" for name in names)


def _keys(model: type[BaseModel], table: str = "") -> Iterator[tuple[str, ...]]:
    """A row for each key, with those of the tables in it."""
    told = meanings(model)
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _keys(inner, f"{table}{name}.")
        elif name not in _ELSEWHERE:
            written = "number" if _is_count(field) else _values(inner)
            yield f"`{table}{name}`", written, _default(name, field), told[name]


def _is_count(field: FieldInfo) -> bool:
    """A size is read from a text too, a count is not."""
    return field.annotation is int and not any(
        isinstance(one, BeforeValidator) for one in field.metadata
    )


def _values(annotation: object) -> str:
    for kind, written in _WRITTEN:
        if annotation == kind:
            return written
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{json.dumps(value)}`" for value in get_args(annotation))
    if get_origin(annotation) is Annotated:
        return _values(get_args(annotation)[0])
    (inner,) = (one for one in get_args(annotation) if one is not NoneType)
    return _values(inner)


def _default(key: str, field: FieldInfo) -> str:
    if field.default_factory is not None:
        return _COMPUTED[key]
    return "" if field.default is None else f"`{json.dumps(field.default)}`"


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
    "settings": settings,
    "store settings": store_settings,
    "built in stores": built_in_stores,
}

if __name__ == "__main__":
    for page in PAGES:
        page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
