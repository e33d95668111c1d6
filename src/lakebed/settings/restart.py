"""What a process that runs can take over from a new configuration, and what it cannot."""

from typing import TypeVar

from pydantic import BaseModel
from pydantic.config import JsonDict

RESTART: JsonDict = {"x-restart": True}
"""The `json_schema_extra` of a field that only a restart changes: the schema says so too."""
Model = TypeVar("Model", bound=BaseModel)


def until_restart(old: Model, new: Model) -> tuple[Model, list[str]]:
    """`new` with what only a restart changes as it is in `old`, and the keys that differ in it."""
    kept: dict[str, object] = {}
    names: list[str] = []
    for name, field in type(new).model_fields.items():
        before, after = getattr(old, name), getattr(new, name)
        extra = field.json_schema_extra
        if before == after:
            continue
        if isinstance(extra, dict) and extra.items() >= RESTART.items():
            kept[name] = before
            names.append(name)
        elif isinstance(before, BaseModel) and type(before) is type(after):
            kept[name], inner = until_restart(before, after)
            names += [f"{name}.{key}" for key in inner]
    return new.model_copy(update=kept), names
