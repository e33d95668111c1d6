"""Archives and their sidecars."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.model.pair import archive_of, is_sidecar, published_digest, publishes, sidecar_of
from lakebed.transfer.publisher import LIMIT
from tests.strategies import NAMES, spoiled

DIGESTS = st.binary().map(lambda data: hashlib.sha256(data).hexdigest())
DIGEST = hashlib.sha256(b"archive").hexdigest()


@given(NAMES)
def test_a_sidecar_is_known_by_its_name_and_names_its_archive(name: str) -> None:
    assert is_sidecar(sidecar_of(name))
    assert archive_of(sidecar_of(name)) == name


@pytest.mark.parametrize(
    "key", ["a.zip", "a.CHECKSUM.zip", "a.checksum", "a/.CHECKSUM", "CHECKSUM", ""]
)
def test_other_keys_are_no_sidecars(key: str) -> None:
    assert not is_sidecar(key)


@given(DIGESTS, NAMES, st.sampled_from(["", "\n", "\r\n", " \n", "\n\n"]))
def test_a_published_digest_is_read_with_any_line_end(digest: str, name: str, end: str) -> None:
    content = f"{digest}  {name}{end}".encode()
    assert published_digest(content, f"data/spot/{name}") == digest


@pytest.mark.parametrize("blanks", [" ", "  ", " *", "\t"])
def test_a_published_digest_is_read_in_either_mode(blanks: str) -> None:
    content = f"{DIGEST.upper()}{blanks}a.zip".encode()
    assert published_digest(content, "a.zip") == DIGEST


@given(NAMES, NAMES)
def test_a_digest_of_another_file_is_none(name: str, other: str) -> None:
    content = f"{DIGEST}  {name}\n".encode()
    assert (published_digest(content, other) is None) == (name != other)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        DIGEST.encode(),
        f"{DIGEST[:-1]}  a.zip".encode(),
        f"{DIGEST}0  a.zip".encode(),
        f"{'g' * 64}  a.zip".encode(),
        f"{DIGEST}  a.zip\n{DIGEST}  b.zip\n".encode(),
        f"<html>{DIGEST}  a.zip</html>".encode(),
        f"{DIGEST}  \xff\xfe".encode("latin-1"),
        f"\ufeff{DIGEST}  a.zip".encode(),
    ],
    ids=repr,
)
def test_anything_else_publishes_nothing(content: bytes) -> None:
    assert published_digest(content, "a.zip") is None


@given(st.binary(max_size=200))
def test_no_content_is_an_accident(content: bytes) -> None:
    assert published_digest(content, "a.zip") is None


@given(spoiled(st.just(f"{DIGEST}  a.zip\n".encode())))
def test_a_spoiled_sidecar_publishes_nothing_or_the_digest_that_it_holds(content: bytes) -> None:
    found = published_digest(content, "a.zip")
    assert found is None or content.lower().startswith(found.encode())


@pytest.mark.parametrize("blanks", [" ", "\t", " a", "\n"], ids=repr)
def test_a_sidecar_of_blanks_is_refused_as_soon_as_it_is_read(blanks: str) -> None:
    """A pattern that tries each blank as the end of something does not come back from this."""
    content = f"{DIGEST}{blanks * LIMIT}"[: LIMIT - 2] + "\nx"
    assert published_digest(content.encode(), "a.zip") is None


def test_bytes_that_are_no_text_name_no_archive() -> None:
    assert published_digest(DIGEST.encode() + b"  \xff.zip", "\ufffd.zip") is None


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("content", [f"{DIGEST}{kind}a.zip" for kind in ("  ", " *")])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_sidecar_of_one_usual_line_is_known_by_its_md5(content: str, end: str) -> None:
    assert publishes(md5(f"{content}{end}".encode()), DIGEST, "spot/a.zip")


@pytest.mark.parametrize(
    "found", [None, md5(b""), md5(f"{DIGEST}  b.zip\n".encode()), md5(f"{DIGEST}\ta.zip".encode())]
)
def test_no_other_md5_says_what_a_sidecar_publishes(found: str | None) -> None:
    assert not publishes(found, DIGEST, "spot/a.zip")


@given(DIGESTS, DIGESTS, st.text(st.characters(codec="utf-8"), min_size=1), st.booleans())
def test_what_is_known_of_a_sidecar_is_what_reading_it_says(
    said: str, known: str, name: str, ends: bool
) -> None:
    content = f"{said}  {name}{chr(10) if ends else ''}".encode()
    for digest in (said, known):
        by_reading = published_digest(content, name) == digest
        assert publishes(md5(content), digest, name) <= by_reading
