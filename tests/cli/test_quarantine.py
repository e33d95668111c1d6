"""quarantine list and release: what is printed, what is asked for."""

import json

import pytest

from lakebed.model.location import Location
from lakebed.model.quarantine import Quarantined

from .conftest import ID, MOMENT, FakePlatform, Lakebed

ENTRIES = [
    Quarantined(
        Location("a", "b", "x\n.zip"), MOMENT.timestamp(), ID, "e1", "e2", "", "11", "22", 1536, 9
    ),
    Quarantined(Location("a", "b", "y.zip"), MOMENT.timestamp(), ID, "e1", "e2", "no digest in it"),
]


def test_a_list_says_since_when_and_why(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.entries = ENTRIES
    assert lakebed("quarantine", "list").out == (
        "a:b/x\\n.zip\n"
        "  since       2026-05-08 12:00:00\n"
        "  expected    sha256 11\n"
        "  found       sha256 22\n"
        "  archive     ETag e1, 1.5 KiB\n"
        "  sidecar     ETag e2, 9 B\n"
        f"  operation   {ID}\n"
        "a:b/y.zip\n"
        "  since       2026-05-08 12:00:00\n"
        "  refused     no digest in it\n"
        "  archive     ETag e1\n"
        "  sidecar     ETag e2\n"
        f"  operation   {ID}\n"
    )
    assert platform.asked == [None]


def test_a_list_in_json_is_one_pair_a_line(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.entries = ENTRIES
    out = lakebed("quarantine", "list", "a:b/x/", "--json").out
    first, second = map(json.loads, out.splitlines())
    assert (first["location"], first["since"]) == ("a:b/x\n.zip", "2026-05-08T12:00:00+00:00")
    assert (first["expected"], first["found"], second["expected"]) == ("11", "22", None)
    assert platform.asked == [Location("a", "b", "x/")]


def test_an_empty_list_says_so(lakebed: Lakebed, platform: FakePlatform) -> None:
    assert lakebed("quarantine", "list").out == "nothing is in quarantine\n"
    out = lakebed("quarantine", "list", "a:b/x/").out
    assert out == "nothing is in quarantine at the source a:b/x/\n"
    assert lakebed("quarantine", "list", "-q").out == ""
    assert lakebed("quarantine", "list", "--json").out == ""


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_the_list_ends_with_its_reader(
    lakebed: Lakebed, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch, form: list[str]
) -> None:
    from lakebed.cli import output

    asked: list[str] = []

    def gone(stream: object, line: str) -> bool:
        asked.append(line)
        return False

    platform.entries = ENTRIES
    monkeypatch.setattr(output, "_write", gone)
    assert lakebed("quarantine", "list", *form).code == 0
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("which", "asked"),
    [
        (["a:b/x/"], Location("a", "b", "x/")),
        (["s3://b/x.zip"], Location("", "b", "x.zip")),
        (["data/x.zip"], "data/x.zip"),
        (["--all"], None),
    ],
    ids=str,
)
def test_what_is_released_is_a_key_a_location_or_all(
    lakebed: Lakebed, platform: FakePlatform, which: list[str], asked: Location | str | None
) -> None:
    platform.entries = ENTRIES
    assert lakebed("quarantine", "release", *which).out == "2 pairs released\n"
    assert lakebed("quarantine", "release", *which, "-q").out == ""
    out = lakebed("quarantine", "release", *which, "--json").out
    assert json.loads(out) == {"event": "released", "pairs": 2}
    assert platform.asked == [asked] * 3


def test_releasing_what_is_not_there_is_wrong_usage(
    lakebed: Lakebed, platform: FakePlatform
) -> None:
    ended = lakebed("quarantine", "release", "a:b/x.zip")
    assert (ended.code, ended.err) == (
        2,
        "lakebed: a:b/x.zip: no such pair in quarantine (`lakebed quarantine list`)\n",
    )
    assert lakebed("quarantine", "release", "--all").out == "0 pairs released\n"


@pytest.mark.parametrize("arguments", [[], ["x", "--all"]])
def test_releasing_nothing_or_too_much_is_wrong_usage(
    lakebed: Lakebed, platform: FakePlatform, arguments: list[str]
) -> None:
    assert lakebed("quarantine", "release", *arguments).code == 2
    assert platform.asked == []
