"""Where objects are, as a request names it: a text like the command line's, or its parts."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lakebed.errors import UsageError
from lakebed.model.location import Location

STRICT = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
"""A field that nobody knows is refused: a slip must not become a default."""


class PlaceParts(BaseModel):
    """A location by its parts."""

    model_config = STRICT

    store: Annotated[str, Field(max_length=200, examples=["lake"])] = ""
    """The name of a configured store; empty for the default one."""
    bucket: Annotated[str, Field(min_length=1, max_length=255, examples=["bronze"])]
    """The bucket."""
    prefix: Annotated[str, Field(max_length=1024, examples=["klines/BTCUSDT/"])] = ""
    """With a final `/`, or empty, a folder; else exactly one key."""


Place = Annotated[
    Annotated[str, Field(min_length=1, max_length=1400, examples=["lake:bronze/klines/"])]
    | PlaceParts,
    Field(description="`store:bucket/prefix/`, or its parts."),
]


def location_of(place: str | PlaceParts, field: str) -> Location:
    """Raises UsageError, which names the field, for what is no location of a store."""
    text = place if isinstance(place, str) else f"{place.store}:{place.bucket}/{place.prefix}"
    if isinstance(place, PlaceParts) and not place.store:
        text = f"s3://{place.bucket}/{place.prefix}"
    try:
        location = Location.parse(text)
    except UsageError as error:
        raise UsageError(
            error.what, subject=f"{field} {error.subject}", advice=error.advice
        ) from None
    if location.is_local:
        raise UsageError(
            "folders of the executor's machine are not offered",
            subject=field,
            advice="name a store, as in store:bucket/prefix/",
        )
    return location
