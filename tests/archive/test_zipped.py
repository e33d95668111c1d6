"""A zip as a stream."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.archive import zipped
from lakebed.archive.zipped import Zipped


def opened(body: Zipped) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(body.chunks())))


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_the_member_holds_the_content_whatever_its_chunks(content: list[bytes]) -> None:
    with opened(Zipped.of("a.csv", lambda: content)) as archive:
        assert archive.namelist() == ["a.csv"]
        assert archive.read("a.csv") == b"".join(content)


def test_a_chunk_longer_than_a_block_is_divided() -> None:
    content = [bytes(65_535), b"x" * 65_536, b"y" * 200_000]
    body = Zipped.of("a.csv", lambda: content)
    with opened(body) as archive:
        assert archive.read("a.csv") == b"".join(content)
    assert sum(map(len, body.chunks())) == body.size


def test_the_member_is_a_deflated_regular_file_without_extra_fields() -> None:
    with opened(Zipped.of("a.csv", lambda: [b"1,2\n"])) as archive:
        (member,) = archive.infolist()
    assert member.compress_type == zipfile.ZIP_DEFLATED
    assert member.external_attr >> 16 == 0o100644
    assert member.extra == b""
    assert member.date_time == (2023, 7, 17, 7, 48, 0)


def test_a_name_outside_ascii_is_marked_as_utf8() -> None:
    with opened(Zipped.of("币安人生USDT.csv", lambda: [b"1\n"])) as archive:
        assert archive.namelist() == ["币安人生USDT.csv"]


def test_the_chunks_can_be_asked_for_again() -> None:
    body = Zipped.of("a.csv", lambda: iter([b"one\n", b"two\n"]))
    assert list(body.chunks()) == list(body.chunks())


def test_a_member_beyond_the_old_limit_uses_the_large_fields(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zipped, "_ZIP64_FROM", 1000)
    content = [b"z" * 70_000]
    body = Zipped.of("a.csv", lambda: content)
    with opened(body) as archive:
        (member,) = archive.infolist()
        assert member.extract_version == 45
        assert member.file_size == 70_000
        assert archive.read("a.csv") == content[0]
    assert sum(map(len, body.chunks())) == body.size
