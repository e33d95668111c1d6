"""Moto, by the conformance suite."""

from collections.abc import Iterator
from contextlib import closing
from typing import ClassVar

import pytest

from lakebed.store.contract import Store
from tests.fixtures_stores import Served
from tests.store.s3_conformance import S3StoreConformance, closed_port
from tests.store.served import open_served

__all__ = ["closed_port"]


@pytest.fixture(scope="module")
def served(moto_store: Served) -> Served:
    return moto_store


@pytest.fixture(scope="module")
def store(served: Served) -> Iterator[Store]:
    with closing(open_served(served)) as opened:
        yield opened


class TestMoto(S3StoreConformance):
    lacks: ClassVar = {
        "copy-many": "one implementation of the request is tested on real stores",
        "unpack": "it keeps a tar as it is sent",
        "newlines": "its routes do not match a key with a line feed",
        "key-limit": "it takes keys of any length",
        "sha256": "it does not compare the body with its digest",
        "copy-if-match": "it ignores the condition on the source",
        "part-copy-if-match": "it ignores the condition on the source",
        "versioning": "its answer is a GetBucketVersioningResponse, which S3 does not have",
        "list-uploads": "it says that every upload began on one day in 2010",
        "list-parts": "it answers with a root element that S3 does not have",
        "checksums": "it compares neither parts nor the whole with their checksums",
        "signatures": "it does not check them",
    }
