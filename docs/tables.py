"""The tables of the pages that are made from the code: `python docs/tables.py` renews them."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lakebed.errors import LakebedError, every_error
from lakebed.model.operation import NEXT_STATES, ObjectState, OperationState, Summary
from lakebed.observe.catalogue import CATALOGUE
from lakebed.operations.states import exit_code

PAGES = tuple(Path(__file__).with_name(name) for name in ("design.md", "metrics.md"))
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
}

if __name__ == "__main__":
    for page in PAGES:
        page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
