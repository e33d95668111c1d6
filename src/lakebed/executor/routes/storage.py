"""Stores, their buckets, and what is in them: `/api/v1/storage`."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request

from lakebed.access.caller import Caller
from lakebed.access.permission import Permission
from lakebed.api.place import PlaceParts, location_of
from lakebed.api.requests import NewBucket
from lakebed.api.storage import (
    BucketCapabilities,
    BucketCreated,
    BucketList,
    StorageUsage,
    StoreDescription,
    StoreList,
)
from lakebed.errors import Forbidden, UsageError
from lakebed.executor.callers import At, Known, Who
from lakebed.executor.service import Service
from lakebed.model.location import LOCAL_STORE, Location
from lakebed.settings.store import StoreSettings
from lakebed.store.capabilities import Capability

router = APIRouter(prefix="/api/v1/storage", tags=["storage"], route_class=Known)
StoreName = Annotated[
    str, Query(max_length=200, description="The name of a store; empty for the default one.")
]
BucketName = Annotated[
    str, Query(min_length=1, max_length=255, pattern="^[^/]+$", description="The bucket.")
]
Prefix = Annotated[
    str,
    Query(max_length=1024, pattern="^(.*/)?$", description="A folder in it, with its final `/`."),
]


@router.get("/stores")
async def stores(who: Who, at: At) -> StoreList:
    """The stores that the caller may use, and what their buckets can do."""
    who.check(Permission.STORAGE_READ)
    return StoreList(stores=await at.do(lambda: list(_described(at, who))))


@router.post("/stores/{store}/probe")
async def probe(
    store: str, bucket: BucketName, http: Request, who: Who, at: At
) -> BucketCapabilities:
    """Find out anew what a bucket can do: canary objects are written, read back and deleted."""
    who.check(Permission.STORAGE_WRITE)
    place = _place(at, who, store, bucket)
    http.state.subject = str(place)
    who.check_write([place])
    found = await at.stores.do(lambda: at.platform.capabilities(place, refresh=True))
    return _capabilities(bucket, frozenset(found.names), found.note)


@router.get("/buckets")
async def buckets(who: Who, at: At, store: StoreName = "") -> BucketList:
    """The buckets of a store that the caller may use."""
    who.check(Permission.STORAGE_READ)
    settings = _named(at, who, store)
    found = await at.stores.buckets(settings)
    seen = [bucket for bucket in found if who.touches(settings.name, bucket)]
    return BucketList(store=settings.name, buckets=seen)


@router.post("/buckets", status_code=201)
async def create_bucket(body: NewBucket, http: Request, who: Who, at: At) -> BucketCreated:
    """Make a bucket; one that is there already, and ours, is no error."""
    who.check(Permission.STORAGE_WRITE)
    settings = _named(at, who, body.store)
    place = Location(settings.name, body.bucket)
    http.state.subject = str(place)
    who.check_write([place])
    await at.stores.create_bucket(settings, body.bucket)
    return BucketCreated(store=settings.name, bucket=body.bucket)


@router.get("/usage")
async def usage(
    bucket: BucketName, who: Who, at: At, store: StoreName = "", prefix: Prefix = ""
) -> StorageUsage:
    """How many objects and bytes are in a place, counted by a listing of some seconds at most."""
    who.check(Permission.STORAGE_READ)
    place = _place(at, who, store, bucket, prefix)
    who.check_read([place])
    found = await at.stores.usage(at.settings.store(place.store), place)
    return StorageUsage(
        store=place.store,
        bucket=place.bucket,
        prefix=place.path,
        objects=found.objects,
        bytes=found.bytes,
        truncated=found.truncated,
    )


def _named(at: Service, who: Caller, store: str) -> StoreSettings:
    """The store of that name. Raises Forbidden before it says whether there is such a one."""
    if store and not who.touches(store):
        raise Forbidden(f"no grant of {who.name} touches this store", subject=store)
    settings = at.settings.store(store)
    if settings.name == LOCAL_STORE:
        raise UsageError("folders of the executor's machine are not offered", subject=store)
    if not who.touches(settings.name):
        raise Forbidden(f"no grant of {who.name} touches the default store")
    return settings


def _place(at: Service, who: Caller, store: str, bucket: str, prefix: str = "") -> Location:
    place = location_of(PlaceParts(store=store, bucket=bucket, prefix=prefix), "the place")
    return replace(place, store=_named(at, who, place.store).name)


def _described(at: Service, who: Caller) -> Iterator[StoreDescription]:
    probed = list(at.platform.probed())
    for name in sorted(name for name in at.settings.stores if who.touches(name)):
        settings = at.settings.stores[name]
        yield StoreDescription(
            store=name,
            endpoint=settings.url,
            region=settings.region,
            addressing=settings.addressing,
            credentials=settings.authentication,
            digests=settings.digests,
            default=settings.default,
            buckets=[
                _capabilities(place.bucket, found.names, found.note)
                for place, found in probed
                if place.store == name and who.touches(name, place.bucket)
            ],
        )


def _capabilities(bucket: str, names: frozenset[Capability], note: str) -> BucketCapabilities:
    can = {str(one): one in names for one in Capability}
    return BucketCapabilities(bucket=bucket, capabilities=can, note=note)
