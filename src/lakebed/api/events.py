"""What happens in an operation, as its server-sent events say it."""

from dataclasses import dataclass

from pydantic import JsonValue

from lakebed.model.operation import OperationState, Summary

QUEUED, STARTED, OBJECTS, PROGRESS, SUMMARY = "queued", "started", "objects", "progress", "summary"


@dataclass(frozen=True, slots=True)
class Event:
    """`number` counts from 1 within the operation; docs/api.md has the kinds and their data."""

    number: int
    kind: str
    data: JsonValue

    @property
    def fields(self) -> dict[str, JsonValue]:
        """The data of every kind but `objects`."""
        return self.data if isinstance(self.data, dict) else {}

    @property
    def objects(self) -> list[dict[str, JsonValue]]:
        """What became of objects, of `objects`; each as an event of docs/events.md."""
        found = self.data if isinstance(self.data, list) else []
        return [one for one in found if isinstance(one, dict)]


def summary_from(fields: dict[str, JsonValue]) -> Summary:
    """What a `summary` tells; fields that this version does not know are passed over."""
    known = {name: value for name, value in fields.items() if name in Summary.__dataclass_fields__}
    state = OperationState(str(known.pop("state")))
    return Summary(**known, state=state)  # type: ignore[arg-type]  # JSON of a Summary
