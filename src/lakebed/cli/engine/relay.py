"""From the events of an executor to the display of a command, as if the run was here."""

from pydantic import JsonValue

from lakebed.api.events import OBJECTS, PROGRESS, STARTED, SUMMARY, Event, summary_from
from lakebed.cli.display import Display
from lakebed.model.operation import Summary
from lakebed.operations.watch import Snapshot, Value


class Relay:
    """Passes on the events of one operation; one that runs again after a crash has begun once."""

    def __init__(self, display: Display, operation_id: str) -> None:
        self._display, self._operation_id = display, operation_id
        self.has_begun = False

    def told(self, event: Event) -> Summary | None:
        """The summary, where this is the last event."""
        if event.kind == STARTED and not self.has_begun:
            self.has_begun = True
            self._display.started(self._operation_id)
        elif event.kind == PROGRESS:
            self._display.progress(_snapshot(event.fields))
        elif event.kind == OBJECTS:
            for fields in event.objects:
                kind = str(fields.pop("event"))
                self._display.event(kind, {name: _value(one) for name, one in fields.items()})
        elif event.kind == SUMMARY:
            return summary_from(event.fields)
        return None


def _snapshot(fields: dict[str, JsonValue]) -> Snapshot:
    known = {name: fields.get(name, 0) for name in Snapshot.__dataclass_fields__}
    return Snapshot(**known)  # type: ignore[arg-type]  # JSON of the same names and types


def _value(value: JsonValue) -> Value:
    return value if value is None or isinstance(value, (str, int, float)) else str(value)
