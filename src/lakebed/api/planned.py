"""What a plan answers: one decision for each object, then how many there were.

Each is a line of JSON. After the first line a failure is a last line, `error`, with the fields of a
problem.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from lakebed.api.answers import PLAIN, Problem
from lakebed.model.operation import Decision


class PlannedObject(BaseModel):
    """What would be done to one object."""

    model_config = PLAIN

    event: Literal["decision"] = "decision"
    """Which line this is."""
    decision: Decision
    """`copy`, `skip`, `changed`, `extra`, `delete` or `fail`."""
    key: str
    """Relative to the locations."""
    size: int
    """Bytes."""
    reason: str
    """Why, where there is more to say."""


class PlanSummary(BaseModel):
    """The last line: objects by what would be done to them."""

    model_config = ConfigDict(**PLAIN, populate_by_name=True)

    event: Literal["summary"] = "summary"
    """Which line this is."""
    copied: Annotated[int, Field(alias="copy")]
    """New at the destination."""
    skip: int
    """Unchanged, or left alone."""
    changed: int
    """To be replaced."""
    extra: int
    """Only at the destination, where they stay."""
    delete: int
    """Only at the destination, and to be deleted."""
    fail: int
    """They would fail as things are."""
    bytes: int
    """To be copied."""
    nothing_deleted: str | None = None
    """Why a run would delete nothing at all, where that is known."""


class PlanProblem(Problem):
    """The last line of a plan that failed in its middle."""

    event: Literal["error"] = "error"
    """Which line this is."""


PlanLine = Annotated[PlannedObject | PlanSummary | PlanProblem, Field(discriminator="event")]


def _whole(value: JsonValue, definitions: dict[str, JsonValue]) -> JsonValue:
    """A schema with what it refers to in its place: it is to stand in another document."""
    if isinstance(value, list):
        return [_whole(one, definitions) for one in value]
    if not isinstance(value, dict):
        return value
    found = definitions.get(str(value.get("$ref")).rpartition("/")[2], {})
    assert isinstance(found, dict)
    together = {**found, **value}
    passed_over = ("$defs", "$ref", "discriminator")
    return {k: _whole(v, definitions) for k, v in together.items() if k not in passed_over}


_SCHEMA = TypeAdapter[PlannedObject | PlanSummary | PlanProblem](PlanLine).json_schema()
LINE_SCHEMA = _whole(_SCHEMA, _SCHEMA["$defs"])
"""Of one line; OpenAPI 3.1 has no word for a body of lines."""
