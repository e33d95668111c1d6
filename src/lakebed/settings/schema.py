"""The one schema of a configuration, as JSON Schema: for editors, reviews and other programs."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import get_args

from pydantic import BaseModel, JsonValue

from lakebed.settings.root import Settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"
IDENTITY = "urn:lakebed:schema:configuration"


@cache
def schema() -> dict[str, JsonValue]:
    """It describes the files; variables have the same keys."""
    found = Settings.model_json_schema()
    tables = {Settings.__name__: found, **found.get("$defs", {})}
    for model in set(_models(Settings)):
        keys = tables[model.__name__]["properties"]
        for name, meaning in meanings(model).items():
            if name in keys:
                keys[name]["description"] = meaning
    return {"$schema": DIALECT, "$id": IDENTITY, **found}


def meanings(model: type[BaseModel]) -> dict[str, str]:
    """What stands below each field.

    Pydantic could read this too, but would at each start of each command.
    """
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(definition, ast.ClassDef)
    told: dict[str, str] = {}
    for field, below in pairwise(definition.body):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                told[name] = " ".join(text.split())
    return told


def _models(kind: object) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for field in kind.model_fields.values():
            yield from _models(field.annotation)
    for inner in get_args(kind):
        yield from _models(inner)
