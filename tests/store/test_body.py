"""The two ends that libcurl talks to, without libcurl."""

from collections.abc import Iterator, Mapping

import pycurl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.errors import BodyTruncated
from lakebed.store.contract import Buffer
from lakebed.store.s3.body import Receiver, Sender, Slice

CHUNKS = st.lists(st.binary(max_size=20), max_size=8)


def received(*lines: bytes, receiver: Receiver | None = None) -> Receiver:
    receiver = receiver or Receiver()
    for line in lines:
        receiver.header(line + b"\r\n")
    return receiver


def sent(sender: Sender, limit: int) -> bytes:
    pieces: list[bytes] = []
    while piece := sender.read(limit):
        assert isinstance(piece, bytes)
        assert len(piece) <= limit
        pieces.append(piece)
    return b"".join(pieces)


# --- receiving -----------------------------------------------------------------------------------


def test_headers_have_names_in_lower_case_and_values_as_they_came() -> None:
    receiver = received(
        b"HTTP/1.1 200 OK", b'ETag: "Tag"', "X-A:  币: b ".encode(), b"no colon", b""
    )
    assert receiver.status == 200
    assert receiver.headers == {"etag": '"Tag"', "x-a": "币: b"}


def test_bytes_that_are_no_utf_8_survive() -> None:
    receiver = received(b"HTTP/1.1 200 OK", b"X-A: \xff")
    assert receiver.headers["x-a"].encode(errors="surrogateescape") == b"\xff"


def test_the_last_answer_on_the_wire_counts() -> None:
    receiver = received(b"HTTP/1.1 100 Continue", b"A: 1", b"", b"HTTP/1.1 404 No", b"B: 2")
    assert receiver.status == 404
    assert receiver.headers == {"b": "2"}


def test_no_answer_has_no_status() -> None:
    assert Receiver().status == 0
    assert Receiver().headers == {}


def test_an_answer_without_a_sink_is_collected() -> None:
    receiver = received(b"HTTP/1.1 200 OK")
    assert receiver.write(b"by") is receiver.write(b"tes") is None
    assert receiver.collected == b"bytes"


def test_a_success_goes_to_the_sink_and_all_else_is_collected() -> None:
    for status, given_on in ((200, [b"bytes"]), (206, [b"bytes"]), (300, []), (404, [])):
        taken: list[bytes] = []
        receiver = received(b"HTTP/1.1 %d Said" % status, receiver=Receiver(taken.append))
        receiver.write(b"bytes")
        assert taken == given_on
        assert receiver.collected == (b"" if given_on else b"bytes")


def test_a_check_that_refuses_ends_the_transfer_before_the_first_byte() -> None:
    def check(status: int, headers: Mapping[str, str]) -> Slice:
        raise ValueError(f"{status} {headers['a']}")

    taken: list[bytes] = []
    receiver = received(b"HTTP/1.1 200 OK", b"A: 1", receiver=Receiver(taken.append, check))
    assert receiver.write(b"bytes") == 0
    assert taken == []
    assert str(receiver.failure) == "200 1"


@given(chunks=CHUNKS, skip=st.integers(0, 60), take=st.none() | st.integers(1, 60))
def test_a_slice_is_these_bytes_however_they_come(
    chunks: list[bytes], skip: int, take: int | None
) -> None:
    wanted = Slice(skip, take) if take is not None else Slice()
    taken: list[bytes] = []
    receiver = received(
        b"HTTP/1.1 200 OK", receiver=Receiver(taken.append, lambda status, headers: wanted)
    )
    receiver.settle()
    for chunk in chunks:
        if receiver.write(chunk) == 0:
            assert receiver.complete
            break
    whole = b"".join(chunks)
    expected = whole if take is None else whole[skip : skip + take]
    assert b"".join(taken) == expected
    assert receiver.missing == (0 if take is None else take - len(expected))


# --- sending -------------------------------------------------------------------------------------


@given(chunks=CHUNKS, limit=st.integers(1, 25))
def test_a_body_is_given_whole_in_pieces_of_at_most_the_limit(
    chunks: list[bytes], limit: int
) -> None:
    assert sent(Sender(Buffer(chunks)), limit) == b"".join(chunks)


@given(chunks=CHUNKS, limit=st.integers(1, 25), reads=st.integers(0, 5))
def test_a_body_that_is_begun_anew_is_given_whole(
    chunks: list[bytes], limit: int, reads: int
) -> None:
    sender = Sender(Buffer(chunks))
    for _ in range(reads):
        sender.read(limit)
    assert sender.seek(0, 0) == pycurl.SEEKFUNC_OK
    assert sent(sender, limit) == b"".join(chunks)


@pytest.mark.parametrize(("offset", "origin"), [(1, 0), (0, 1), (0, 2)])
def test_a_body_is_begun_anew_only_from_its_start(offset: int, origin: int) -> None:
    assert Sender(Buffer((b"a",))).seek(offset, origin) == pycurl.SEEKFUNC_CANTSEEK


def test_a_body_that_is_longer_than_announced_is_not_given() -> None:
    class Longer(Buffer):
        size = 3

    sender = Sender(Longer((b"ab", b"cd")))
    assert sender.read(10) == b"ab"
    assert sender.read(10) == pycurl.READFUNC_ABORT
    assert isinstance(sender.failure, BodyTruncated)


def test_a_body_that_is_let_go_ends_its_work() -> None:
    ended: list[str] = []

    class Working:
        size = 2

        def chunks(self) -> Iterator[bytes]:
            try:
                yield b"a"
                yield b"b"
            finally:
                ended.append("ended")

    sender = Sender(Working())
    assert sender.read(10) == b"a"
    sender.close()
    sender.close()
    assert ended == ["ended"]


def test_headers_are_found_by_name_whatever_their_case_and_letters() -> None:
    receiver = Receiver()
    for line in (
        b"HTTP/1.1 200 OK\r\n",
        b"X-Amz-Meta-City: \xc4\xb0zmir  \r\n",
        b'ETag:\t"e"\r\n',
        b"Empty:\r\n",
        b"\r\n",
    ):
        receiver.header(line)
    city = {"x-amz-meta-city": "İzmir"}
    assert receiver.headers.items() >= (city | {"etag": '"e"', "empty": ""}).items()
    assert receiver.status == 200
