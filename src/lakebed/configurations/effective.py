"""The configuration that is in force: each value, and where it comes from. It holds no secret."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue, SecretStr
from pydantic_core import to_jsonable_python

from lakebed.settings import Settings
from lakebed.settings.environment import amazons_variable_of
from lakebed.settings.layers import Layers
from lakebed.settings.literal import shown
from lakebed.settings.locate import Place
from lakebed.settings.root import BUILT_IN
from lakebed.settings.shape import leaves

_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Value:
    """`origin`: a file with its line, a variable, `built in` or `default`."""

    key: str
    value: JsonValue
    origin: str


def effective(layers: Layers, settings: Settings) -> list[Value]:
    """Each value of the settings that these layers make, in the order of the schema."""
    return [
        Value(key_of(place), _told(place, value), _origin(layers, place, value))
        for place, value in leaves(settings)
        if value is not None and not _is_name(place)
    ]


def contents(values: Iterable[Value]) -> dict[str, JsonValue]:
    return {value.key: value.value for value in values}


def canonical(content: Mapping[str, JsonValue]) -> str:
    """The one text of a content."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def key_of(place: Place) -> str:
    """The place as TOML would write it."""
    parts = (str(part) for part in place)
    return ".".join(part if _BARE.fullmatch(part) else json.dumps(part) for part in parts)


def _is_name(place: Place) -> bool:
    """Of a store it is in the key already."""
    return len(place) == 3 and (place[0], place[2]) == ("stores", "name")


def _told(place: Place, value: object) -> JsonValue:
    if isinstance(value, SecretStr):
        return shown(str(place[-1]), value)
    told: JsonValue = to_jsonable_python(value)
    return told


def _origin(layers: Layers, place: Place, value: object) -> str:
    where, line = layers.origin(place)
    if where:
        return f"{where}:{line}" if line else where
    if variable := amazons_variable_of(place, layers.environ):
        return variable
    if len(place) == 3 and place[0] == "stores":
        built_in = BUILT_IN.get(str(place[1]), {})
        if str(place[2]) in built_in and built_in[str(place[2])] == value:
            return "built in"
    return "default"
