"""What the models say of a place in a configuration."""

import difflib
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from lakebed.settings.locate import Place

Leaf = tuple[Place, object]


def leaves(value: object, place: Place = ()) -> Iterator[Leaf]:
    """Each value of a model that holds no others, with its place; a list is one value, unless it
    is one of tables."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from leaves(getattr(value, name), (*place, name))
    elif isinstance(value, Mapping):
        for key in value:
            yield from leaves(value[key], (*place, str(key)))
    elif isinstance(value, (tuple, list)) and any(
        isinstance(v, (BaseModel, Mapping)) for v in value
    ):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*place, number))
    else:
        yield place, value


def suggestion(root: type[BaseModel], place: Place) -> str:
    """A setting of nearly the same name as the one at `place`, which there is not."""
    model = model_at(root, place[:-1])
    close = difflib.get_close_matches(str(place[-1]), model.model_fields if model else (), n=1)
    return f", did you mean {close[0]}?" if close else ""


def model_at(root: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """The model of the table at `place`, where there is one."""
    kind = kind_at(root, place)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def is_secret(root: type[BaseModel], place: Place) -> bool:
    """Whether the schema keeps what is at `place` secret."""
    return _names_secret(kind_at(root, place))


def kind_at(root: type[BaseModel], place: Place) -> object:
    """The type of what is at `place`; None where there is nothing."""
    kind: object = root
    for part in place:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(part))
            kind = _bare(field.annotation) if field else None
        else:
            inner = [one for one in get_args(kind) if one is not Ellipsis]
            kind = _bare(inner[-1]) if inner else None
    return kind


def _names_secret(kind: object) -> bool:
    return kind is SecretStr or any(map(_names_secret, get_args(kind)))


def _bare(kind: object) -> object:
    """What an optional or annotated type is a form of."""
    while get_origin(kind) in (Annotated, Union, UnionType):
        kind = next(one for one in get_args(kind) if one is not NoneType)
    return kind
