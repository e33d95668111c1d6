"""Signing in at a browser: what is asked and answered."""

from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from lakebed.api.answers import PLAIN
from lakebed.api.place import STRICT

Secret = Annotated[str, Field(min_length=1, max_length=16_384)]


class SignIn(BaseModel):
    """One of the two."""

    model_config = STRICT

    code: Secret | None = None
    """The code that the service printed when it started; it opens once."""
    key: Secret | None = None
    """An API key, or the token of the service."""

    @model_validator(mode="after")
    def _agree(self) -> "SignIn":
        if (self.code is None) == (self.key is None):
            raise ValueError("send either a code or a key")
        return self


class GrantAnswer(BaseModel):
    """Where a caller may read, or read and write."""

    model_config = PLAIN

    place: str
    """`*`, `store:`, `store:bucket`, `store:bucket/prefix/`, or exactly one key."""
    write: bool
    """Whether it may be written too."""


class CallerAnswer(BaseModel):
    """Who asks."""

    model_config = PLAIN

    id: str
    """Unique over all ways of showing who one is, as `key:ID`."""
    name: str
    """For people."""
    roles: list[str]
    """Sets of permissions."""
    grants: list[GrantAnswer]
    """Where they hold."""


class SessionAnswer(BaseModel):
    """Who is signed in, and what it may."""

    model_config = PLAIN

    csrf: str
    """What each write of this session shows in `X-CSRF-Token`; empty where no cookie is used."""
    caller: CallerAnswer
    """Who is signed in."""
    permissions: list[str]
    """All that its roles have."""
