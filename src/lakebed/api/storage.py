"""Stores, their buckets, and what is in them."""

from pydantic import BaseModel

from lakebed.api.answers import PLAIN


class BucketCapabilities(BaseModel):
    """What a probe found within a day that a bucket can do."""

    model_config = PLAIN

    bucket: str
    """Its name."""
    capabilities: dict[str, bool]
    """Each capability by its name, as docs/design.md has them."""
    note: str
    """Why less is assumed than might be; mostly empty."""


class StoreDescription(BaseModel):
    """A store of the configuration."""

    model_config = PLAIN

    store: str
    """Its name in the configuration."""
    endpoint: str
    """Its address."""
    region: str
    """What requests are signed for."""
    addressing: str
    """`path` or `virtual`."""
    credentials: str
    """Where its keys come from: `anonymous`, `static` or `chain`."""
    digests: str
    """How publishers name digests there: `sidecar` or `off`."""
    default: bool
    """Whether `s3://` means it."""
    buckets: list[BucketCapabilities]
    """Those that were probed within a day."""


class StoreList(BaseModel):
    """The stores that a grant of the caller touches."""

    model_config = PLAIN

    stores: list[StoreDescription]
    """By name."""


class BucketList(BaseModel):
    """The buckets of a store that a grant of the caller touches."""

    model_config = PLAIN

    store: str
    """The name of the store."""
    buckets: list[str]
    """Their names."""


class BucketCreated(BaseModel):
    """A bucket that is there now."""

    model_config = PLAIN

    store: str
    """The name of its store."""
    bucket: str
    """Its name."""


class StorageUsage(BaseModel):
    """What is in a place, as of a minute ago at the most."""

    model_config = PLAIN

    store: str
    """The name of the store."""
    bucket: str
    """The bucket."""
    prefix: str
    """The folder in it; empty for all of it."""
    objects: int
    """How many were listed."""
    bytes: int
    """Their sizes together."""
    truncated: bool
    """Whether there is more, and the listing was not waited for."""
