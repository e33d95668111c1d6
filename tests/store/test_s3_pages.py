"""A page of a listing, read as it is or refused."""

import os
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote_plus
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakebed.errors import ListingRefused
from lakebed.model.objects import Object
from lakebed.store.contract import Page
from lakebed.store.s3.pages import parse_page
from lakebed.store.s3.rows import columns

MOMENT = datetime(2026, 5, 8, 12, 30, 15, 123000, tzinfo=UTC)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
ODD_KEYS = [
    "/lead",
    "a/",
    "//",
    ".",
    "..",
    "x" * 1024,
    "币安人生USDT",
    "+ % & ? # < \"'",
    "a\nb\r\0",
]

LISTING = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{}</ListBucketResult>'
)
LAST = "<IsTruncated>false</IsTruncated>"
URL = "<EncodingType>url</EncodingType>"


def row(
    key: str = "a",
    *,
    size: str = "7",
    etag: str = "&quot;tag&quot;",
    modified: str = "2026-05-08T12:30:15.123Z",
) -> str:
    fields = {"Key": key, "LastModified": modified, "ETag": etag, "Size": size}
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return f"<Contents>{inside}</Contents>"


def listing(*elements: str) -> bytes:
    return LISTING.format("".join(elements)).encode()


def refused(content: bytes) -> str:
    with pytest.raises(ListingRefused, match="lake:bucket: the answer is no listing") as caught:
        parse_page(content, "lake:bucket")
    return caught.value.what


# --- what is a listing ---------------------------------------------------------------------------


def test_an_object_has_each_of_its_fields() -> None:
    page = parse_page(listing(LAST, row()), "")
    assert page.objects == (Object("a", 7, "tag", MOMENT),)
    assert page.prefixes == ()
    assert page.token is None


def test_an_empty_listing_is_empty() -> None:
    assert parse_page(listing(LAST), "").objects == ()


@pytest.mark.parametrize("name", ["NextContinuationToken", "NextMarker"])
def test_a_truncated_page_names_how_to_go_on(name: str) -> None:
    page = parse_page(listing("<IsTruncated>true</IsTruncated>", f"<{name}>t=</{name}>"), "")
    assert page.token == "t="


def test_a_token_of_the_last_page_is_none() -> None:
    page = parse_page(listing(LAST, "<NextContinuationToken>t</NextContinuationToken>"), "")
    assert page.token is None


def test_folded_folders_come_beside_the_objects() -> None:
    folders = "".join(
        f"<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>" for name in ("d+e/", "f%2Fg/")
    )
    page = parse_page(listing(URL, LAST, "<Prefix>p</Prefix>", row(), folders), "")
    assert page.prefixes == ("d e/", "f/g/")
    assert [found.key for found in page.objects] == ["a"]


def test_an_owner_inside_an_object_is_not_its_name() -> None:
    owned = row().replace("</Contents>", "<Owner><ID>1</ID></Owner></Contents>")
    assert parse_page(listing(LAST, owned), "").objects == (Object("a", 7, "tag", MOMENT),)


def test_keys_are_decoded_only_where_the_store_says_that_it_encoded_them() -> None:
    encoded = row("a%2Bb+c")
    assert parse_page(listing(LAST, encoded), "").objects[0].key == "a%2Bb+c"
    assert parse_page(listing(LAST, encoded, URL), "").objects[0].key == "a+b c"


def test_a_time_without_a_zone_is_in_utc() -> None:
    page = parse_page(listing(LAST, row(modified="2026-05-08T12:30:15.123")), "")
    assert page.objects[0].modified == MOMENT


@pytest.mark.parametrize("key", ODD_KEYS, ids=ascii)
def test_an_odd_key_survives_its_encoding(key: str) -> None:
    page = parse_page(listing(URL, LAST, row(quote_plus(key))), "")
    assert page.objects[0].key == key


@given(st.lists(KEYS, max_size=8), st.booleans())
def test_any_keys_rendered_as_a_page_are_read_back(keys: list[str], plus: bool) -> None:
    def encoded(key: str) -> str:
        return quote_plus(key) if plus else quote_plus(key).replace("+", "%20")

    page = parse_page(listing(URL, LAST, *(row(encoded(key)) for key in keys)), "")
    assert [found.key for found in page.objects] == keys


@given(st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs", "Cn"]), min_size=1))
def test_keys_that_are_not_encoded_are_read_as_they_are(key: str) -> None:
    page = parse_page(listing(LAST, row(escape(key))), "")
    assert page.objects[0].key == key


# --- what is none --------------------------------------------------------------------------------


def test_a_web_page_is_no_listing() -> None:
    page = b"<html><head></head><body><Key>a</Key></body></html>"
    assert "<html>" in refused(page)


def test_a_refusal_says_where_to_look() -> None:
    with pytest.raises(ListingRefused, match="is `endpoint` an S3 endpoint"):
        parse_page(b"<html/>", "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no markup at all",
        b"<!DOCTYPE html><html><br></html>",
        listing(LAST, row())[:-20],
        listing(LAST, row()) + b"<more/>",
        listing(LAST, row("a\x01b")),
        listing(LAST, row()).replace(b">a<", b">\xff\xfe<"),
    ],
    ids=["empty", "text", "html", "cut", "longer", "control-character", "not-utf-8"],
)
def test_what_is_not_sound_markup_is_no_listing(content: bytes) -> None:
    refused(content)


def test_a_page_that_is_truncated_without_a_token_is_refused() -> None:
    content = listing("<IsTruncated>true</IsTruncated>", row())
    assert "names no token" in refused(content)


@pytest.mark.parametrize("token", ["<NextContinuationToken/>", "<NextMarker></NextMarker>"])
def test_an_empty_token_is_none(token: str) -> None:
    assert "names no token" in refused(listing("<IsTruncated>true</IsTruncated>", token))


@pytest.mark.parametrize("said", ["", "True", "yes", "1"])
def test_a_page_must_say_plainly_whether_it_is_the_last(said: str) -> None:
    assert "IsTruncated" in refused(listing(f"<IsTruncated>{said}</IsTruncated>", row()))


def test_a_page_that_does_not_say_whether_it_is_the_last_is_refused() -> None:
    assert "lacks IsTruncated" in refused(listing(row()))


@pytest.mark.parametrize("name", ["Key", "LastModified", "ETag", "Size"])
def test_an_object_without_one_of_its_fields_is_refused(name: str) -> None:
    content = listing(LAST, row().replace(name, "Other"))
    assert f"lacks {name}" in refused(content)


def test_a_folder_without_a_name_is_refused() -> None:
    content = listing(LAST, "<CommonPrefixes></CommonPrefixes>")
    assert "lacks Prefix" in refused(content)


@pytest.mark.parametrize(
    "wrong",
    [
        row(""),
        row(size="-1"),
        row(size="1_0"),
        row(size=" 1"),
        row(size="²"),
        row(size=""),
        row(modified=""),
        row(modified="yesterday"),
    ],
)
def test_a_field_that_is_none_of_its_kind_is_refused(wrong: str) -> None:
    refused(listing(LAST, wrong))


@pytest.mark.parametrize("key", ["%FF", "a%E5%B8", "%ED%A0%80"], ids=["byte", "cut", "surrogate"])
def test_an_escape_that_is_not_utf_8_is_refused(key: str) -> None:
    assert "utf-8" in refused(listing(URL, LAST, row(key)))


# --- real listings -------------------------------------------------------------------------------


@pytest.fixture
def real() -> Path:
    root = Path(__file__).resolve().parents[2]
    samples = Path(os.environ.get("LAKEBED_SAMPLES", root.parent / "shared" / "data"))
    folder = samples / "binance" / "listings"
    if not folder.is_dir():
        pytest.skip("no sample listings: set LAKEBED_SAMPLES to their folder")
    return folder


@pytest.mark.parametrize(
    ("name", "count", "truncated"),
    [
        ("daily-page1.xml", 12, True),
        ("daily-page2.xml", 12, False),
        ("monthly-1mo-hole.xml", 22, False),
        ("empty.xml", 0, False),
    ],
)
def test_a_publishers_own_page_is_read(real: Path, name: str, count: int, truncated: bool) -> None:
    page = parse_page((real / name).read_bytes(), name)
    keys = [found.key for found in page.objects]
    assert len(keys) == count
    assert keys == sorted(keys)
    assert all(found.md5 and found.size for found in page.objects)
    assert (page.token is not None) == truncated
    assert page.token is None or page.token == keys[-1]


# --- entries of one shape ------------------------------------------------------------------------


def by_parser_alone(content: bytes) -> Page | None:
    """As a page is read whose entries differ, or None where it is refused: the comment changes
    nothing but the way."""
    with_comment = content.replace(b"</Contents>", b"<!-- --></Contents>")
    try:
        return parse_page(with_comment, "")
    except ListingRefused:
        return None


def by_columns(content: bytes) -> Page | None:
    try:
        return parse_page(content, "")
    except ListingRefused:
        return None


def test_entries_of_one_shape_are_read_by_columns() -> None:
    owner = "<Owner><ID>1</ID><DisplayName/></Owner></Contents>"
    entries = [row(key).replace("</Contents>", owner) for key in "abc"]
    found = columns(listing(LAST, *entries))
    assert found is not None
    assert found.texts["Key"] == ("b", "c")
    assert found.rest == listing(LAST, entries[0])


@pytest.mark.parametrize(
    "entries",
    [
        (row(),),
        (row(), row().replace("</Contents>", "<Owner/></Contents>")),
        (row(), row().replace("<Size>7</Size>", "<Size>7")),
        (row(), " ", row()),
        (row(), "<!-- -->", row()),
        (row("a&amp;"), row("b")),
        (row(), row("é")),
        (row(), row("a\nb")),
        (row(), "<CommonPrefixes><Prefix>a</Prefix></CommonPrefixes>", row()),
    ],
)
def test_what_differs_from_the_first_entry_is_left_to_the_parser(entries: tuple[str, ...]) -> None:
    content = listing(LAST, *entries)
    assert columns(content) is None
    assert by_columns(content) == by_parser_alone(content)


PIECES = st.sampled_from(
    [
        b"<Contents>",
        b"</Contents>",
        b"<Key>",
        b"</Key>",
        b"<Size>",
        b"<",
        b">",
        b"/",
        b"&",
        b"&#34;",
        b"&lt;",
        b"]]>",
        b"<![CDATA[",
        b"<?",
        b"?>",
        b"%",
        b"+",
        b"\n",
        b"\0",
        b"\xff",
        b"",
        b"0",
        b"x",
    ]
)


@settings(max_examples=400)
@given(st.data())
def test_both_ways_read_the_same_from_whatever_comes(data: st.DataObject) -> None:
    content = listing(URL, LAST, *(row(key) for key in ("a", "b%2F", "c+d")))
    for _ in range(data.draw(st.integers(0, 2))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(start + 40, len(content))))
        content = content[:start] + data.draw(PIECES) + content[end:]
    assert by_columns(content) == by_parser_alone(content)
