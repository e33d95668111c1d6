"""What each option of sync does to the buckets, seen from outside."""

from dataclasses import dataclass

import pytest

from lakebed.errors import Exit
from lakebed.model.objects import Attributes
from tests.e2e.buckets import Bucket, pair, pairs
from tests.e2e.process import Ended, Lakebed
from tests.transfer.inventories import as_csv, row_of, rows_of, write_inventory

LARGE = 24 * 1024**2
"""More than goes in one piece."""


@dataclass(frozen=True)
class Route:
    """From one bucket to the other, by way of us."""

    lakebed: Lakebed
    source: Bucket
    destination: Bucket

    @property
    def locations(self) -> tuple[str, str]:
        return f"here:{self.source.name}", f"there:{self.destination.name}"

    def sync(self, *options: str, stdin: str = "") -> Ended:
        return self.lakebed("sync", *self.locations, "--json", *options, stdin=stdin)

    def plan(self, *options: str) -> Ended:
        return self.lakebed("plan", *self.locations, "--json", *options)


@pytest.fixture
def route(lakebed: Lakebed, source: Bucket, destination: Bucket) -> Route:
    return Route(lakebed, source, destination)


FILES = {"a/one.zip": b"1", "a/two.txt": b"22", "b/three.zip": b"333", "four.zip": b"4444"}


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ("--include *.zip", "a/one.zip b/three.zip four.zip"),
        ("--exclude *.zip", "a/two.txt"),
        ("--exclude a/** --include a/one.*", "a/one.zip b/three.zip four.zip"),
        ("--include a/one.* --exclude a/**", ""),
        ("--min-size 2 --max-size 3", "a/two.txt b/three.zip"),
        ("--older 1d", ""),
        ("--newer 1d --include four*", "four.zip"),
    ],
)
def test_filters_take_what_they_say(route: Route, options: str, keys: str) -> None:
    route.source.fill(FILES)

    ended = route.sync(*options.split())

    assert ended.code == Exit.COMPLETED, ended
    assert route.destination.keys() == keys.split()
    assert ended.counts("listed", "copied") == (len(keys.split()),) * 2


def test_a_filter_takes_both_halves_of_a_pair(route: Route) -> None:
    route.source.fill(pairs(3))

    ended = route.sync("--include", "*1.zip")

    assert route.destination.keys() == ["daily/00001.zip", "daily/00001.zip.CHECKSUM"]
    proofs = ended.summary["proofs"]
    assert isinstance(proofs, dict)
    assert (proofs["publisher-sha256"], sum(proofs.values())) == (1, 2)


@pytest.mark.parametrize("stdin", [True, False])
def test_files_from_takes_the_named_keys_alone(route: Route, stdin: bool) -> None:
    route.source.fill(FILES)
    names = "four.zip\r\na/two.txt\n\nnot-there\n"
    (route.lakebed.folder / "names").write_text(names, newline="")

    ended = route.sync("--files-from", "-" if stdin else "names", stdin=names)

    assert ended.code == Exit.COMPLETED, ended
    assert route.destination.keys() == ["a/two.txt", "four.zip"]


def test_an_inventory_lists_the_source_in_its_place(route: Route) -> None:
    route.source.fill({"odd + key/币 %41.txt": b"odd", "four.zip": b"4444"})
    rows = rows_of(route.source.store, route.source.name)
    manifest = write_inventory(route.lakebed.folder / "inventory", route.source.name, rows[::-1])
    listed = route.source.content()
    route.source.put("later", b"later")

    ended = route.sync("--inventory", str(manifest))

    assert ended.code == Exit.COMPLETED, ended
    assert route.destination.content() == listed
    ended = route.sync("--inventory", str(manifest), "--delete")
    assert ended.code == Exit.USAGE
    assert "--delete with --inventory" in ended.complaint
    assert len(route.lakebed("operations", "--json").events) == 1


def test_an_inventory_that_changed_ends_a_resume_in_one_line(route: Route) -> None:
    route.source.put("a", b"a")
    listed = route.source.listing()
    inventory = route.lakebed.folder / "inventory.csv"
    row = row_of(route.source.name, listed[0])
    inventory.write_bytes(as_csv([row, ["another", *row[1:]]]))
    refused = route.sync("--inventory", "inventory.csv")
    assert refused.code == Exit.USAGE
    assert "inventory.csv, line 2: no row of an inventory: it is of the bucket" in refused.complaint

    inventory.write_bytes(as_csv([row]))
    ended = route.lakebed("resume", str(refused.summary["operation_id"]), "--json")

    assert ended.code == Exit.USAGE
    assert "no longer what it was when the operation began" in ended.complaint
    assert route.destination.keys() == []


def test_one_exact_key_is_copied_alone(route: Route) -> None:
    route.source.fill(FILES)
    source, destination = route.locations

    ended = route.lakebed("sync", f"{source}/a/one.zip", f"{destination}/kept/")

    assert ended.code == Exit.COMPLETED, ended
    assert route.destination.content() == {"kept/one.zip": b"1"}


def test_delete_removes_what_the_source_lacks_and_nothing_else_does(route: Route) -> None:
    route.source.fill(FILES)
    route.destination.put("extra", b"extra")

    kept = route.sync()
    assert kept.counts("extra", "deleted") == (1, 0)
    assert len(route.destination.listing()) == len(FILES) + 1
    ended = route.sync("--delete")

    assert ended.code == Exit.COMPLETED
    assert ended.counts("copied", "deleted") == (0, 1)
    assert route.destination.content() == FILES


def test_more_deletions_than_max_delete_are_none(route: Route) -> None:
    route.source.put("kept", b"kept")
    route.destination.fill({"kept": b"kept", "x": b"x", "y": b"y"})

    ended = route.sync("--delete", "--max-delete", "1")

    assert ended.code == Exit.FAILED_OBJECTS
    assert "2 objects would be deleted, --max-delete is 1" in ended.complaint
    assert route.destination.keys() == ["kept", "x", "y"]


def test_an_empty_source_deletes_nothing(route: Route) -> None:
    route.destination.put("kept", b"kept")

    ended = route.sync("--delete")

    assert ended.code == Exit.FAILED_OBJECTS
    assert "nothing is deleted" in ended.complaint
    assert route.destination.keys() == ["kept"]


def test_delete_source_moves_what_is_proved_and_keeps_what_is_not(route: Route) -> None:
    good, bad = pair("good.zip", b"good"), pair("bad.zip", b"bad") | {"bad.zip": b"damaged"}
    route.source.fill(good | bad)

    ended = route.sync("--delete-source")

    assert ended.code == Exit.QUARANTINED
    assert ended.counts("copied", "quarantined") == (2, 2)
    assert route.destination.content() == good
    assert route.source.content() == bad


def test_a_dry_run_and_a_plan_say_the_same_and_write_nothing(route: Route) -> None:
    route.source.fill(FILES)
    route.destination.fill({"four.zip": b"4444", "a/one.zip": b"other", "extra": b""})

    dry = route.sync("--dry-run")

    assert (dry.code, dry.out) == (Exit.COMPLETED, route.plan().out)
    decisions = {event["key"]: event["decision"] for event in dry.events[:-1]}
    assert decisions == {
        "a/one.zip": "changed",
        "a/two.txt": "copy",
        "b/three.zip": "copy",
        "extra": "extra",
        "four.zip": "skip",
    }
    assert dry.counts("copy", "changed", "skip", "extra", "bytes") == (2, 1, 1, 1, 6)
    assert route.destination.read("a/one.zip") == b"other"
    assert len(route.destination.listing()) == 3
    assert route.lakebed("operations", "--json").out == ""


@pytest.mark.parametrize(
    ("compare", "changed"),
    [
        ("size", []),
        ("etag", ["same-size"]),
        ("digest", ["same", "same-size"]),
        ("auto", ["same-size"]),
    ],
)
def test_compare_decides_what_counts_as_the_same(
    route: Route, compare: str, changed: list[str]
) -> None:
    route.source.fill({"same-size": b"aaa", "same": b"same"})
    route.destination.fill({"same-size": b"bbb", "same": b"same"})

    ended = route.plan("--compare", compare)

    found = [event["key"] for event in ended.events[:-1] if event["decision"] == "changed"]
    assert ended.code == Exit.COMPLETED, ended
    assert sorted(map(str, found)) == changed


def test_ignore_existing_never_replaces(route: Route) -> None:
    route.source.fill(FILES)
    route.destination.put("four.zip", b"mine")

    ended = route.sync("--ignore-existing")

    assert ended.counts("copied", "skipped") == (3, 1)
    assert route.destination.read("four.zip") == b"mine"


@pytest.mark.parametrize(
    ("choice", "code", "content"),
    [
        ("fail", Exit.FAILED_OBJECTS, b"older"),
        ("keep", Exit.COMPLETED, b"older"),
        ("replace", Exit.COMPLETED, b"new"),
    ],
)
def test_on_change_decides_about_another_revision(
    route: Route, choice: str, code: Exit, content: bytes
) -> None:
    route.source.fill({"changed": b"new", "missing": b"missing"})
    route.destination.put("changed", b"older")

    ended = route.sync("--on-change", choice)

    assert ended.code == code, ended
    assert route.destination.content() == {"changed": content, "missing": b"missing"}
    if code:
        [failed] = [event for event in ended.events if event["event"] == "failed"]
        assert (failed["key"], failed["error"]) == ("changed", "changed")


def test_type_encoding_and_metadata_follow_and_tags_where_asked_for(route: Route) -> None:
    headers = {"content-type": "text/csv", "content-encoding": "gzip", "cache-control": "no-store"}
    own = Attributes(headers, {"origin": "binance"}, {"tier": "bronze"})
    route.source.put("small", b"small", own)
    route.source.put("large", bytes(LARGE), own)

    assert route.sync().code == Exit.COMPLETED
    for key in ("small", "large"):
        kept = route.destination.store.head(route.destination.name, key).attributes
        assert headers.items() <= dict(kept.headers).items()
        assert dict(kept.metadata) == {"origin": "binance"}
        assert route.destination.store.tags(route.destination.name, key) == {}

    again = route.lakebed("sync", route.locations[0], f"{route.locations[1]}/tagged/", "--tags")
    assert again.code == Exit.COMPLETED, again
    for key in ("tagged/small", "tagged/large"):
        assert route.destination.store.tags(route.destination.name, key) == {"tier": "bronze"}


@pytest.mark.parametrize(
    ("mode", "small", "large"),
    [
        ("auto", "packed whole", "stream"),
        ("direct_sync", "packed whole", "stream"),
        ("hybrid", "packed whole", "stream"),
        ("traditional", "staged", "staged"),
    ],
)
def test_a_mode_takes_its_lanes(route: Route, mode: str, small: str, large: str) -> None:
    content = pair("daily.zip", b"archive") | pair("monthly.zip", bytes(LARGE))
    route.source.fill(content)

    ended = route.sync("--mode", mode)

    lanes = {event["key"]: event["lane"] for event in ended.events if event["event"] == "copied"}
    assert ended.code == Exit.COMPLETED, ended
    assert lanes["daily.zip"] in small.split()  # packed where the store unpacks
    assert lanes["monthly.zip"] == large
    assert route.destination.content() == content
    proofs = ended.summary["proofs"]
    assert isinstance(proofs, dict)
    assert proofs["publisher-sha256"] == 2


def test_within_one_store_the_server_copies_and_the_publisher_still_proves(route: Route) -> None:
    # Where it unpacks, what must be read for its digest would go on from here.
    lakebed = route.lakebed.store("here", disable="unpack")
    content = pair("daily.zip", b"archive") | {"alone": b"alone"}
    route.source.fill(content)

    ended = lakebed(
        "sync", f"here:{route.source.name}", f"here:{route.destination.name}/copy/", "--json"
    )

    assert ended.code == Exit.COMPLETED, ended
    assert ended.summary["lanes"] == {"server-side": 3}
    assert route.destination.content() == {f"copy/{key}": data for key, data in content.items()}
    proofs = ended.summary["proofs"]
    assert isinstance(proofs, dict)
    assert proofs["publisher-sha256"] == 1
