"""Which keys a destination is not asked to hold, and how a probe finds it out."""

import pytest

from lakebed.model.location import Location
from lakebed.model.objects import Attributes, Write, Written
from lakebed.store.capabilities import EVERYTHING, Capabilities, Capability
from lakebed.store.contract import NO_ATTRIBUTES, Body
from lakebed.store.memory import MemoryStore
from lakebed.store.probe import Probe
from lakebed.transfer.keys import refusal
from lakebed.transfer.sides import Side
from tests.transfer.engine import able


def side(can: Capabilities) -> Side:
    return Side(MemoryStore("lake"), Location("lake", "bronze"), can)


@pytest.mark.parametrize(
    ("key", "needs"),
    [
        ("a//b", Capability.ODD_KEYS),
        ("/a", Capability.ODD_KEYS),
        ("./a", Capability.ODD_KEYS),
        ("a/../b", Capability.ODD_KEYS),
        ("a/.", Capability.ODD_KEYS),
        ("..", Capability.ODD_KEYS),
        ("a//", Capability.ODD_KEYS),
        ("a/", Capability.FOLDER_KEYS),
        ("a\\b", Capability.BACKSLASH_KEYS),
    ],
)
def test_an_unusual_key_is_refused_where_the_bucket_rewrites_it(
    key: str, needs: Capability
) -> None:
    refused = refusal(side(able(needs)), key)
    assert refused is not None
    assert refused.subject == f"lake:bronze/{key}"
    assert refusal(side(EVERYTHING), key) is None


@pytest.mark.parametrize("key", ["a", "a.b/..c/d...", "币/x y+%", "x" * 1024, "币" * 341])
def test_a_usual_key_is_held_by_any_bucket(key: str) -> None:
    assert refusal(side(Capabilities()), key) is None


@pytest.mark.parametrize("key", ["", "x" * 1025, "币" * 342])
def test_a_key_that_s3_has_not_is_refused_by_any_bucket(key: str) -> None:
    assert refusal(side(EVERYTHING), key) is not None


class Slashing(MemoryStore):
    """Takes a backslash for a slash, as a store over folders may."""

    def put(
        self,
        bucket: str,
        key: str,
        body: Body,
        *,
        attributes: Attributes = NO_ATTRIBUTES,
        sha256: str | None = None,
        write: Write = Write.ALWAYS,
    ) -> Written:
        name = key.replace("\\", "/")
        return super().put(bucket, name, body, attributes=attributes, sha256=sha256, write=write)


def test_a_probe_finds_a_bucket_that_rewrites_backslashes() -> None:
    assert Capability.BACKSLASH_KEYS not in Probe(Slashing(buckets=["b"]), "b", "").run()
    assert Capability.BACKSLASH_KEYS in Probe(MemoryStore(buckets=["b"]), "b", "").run()
