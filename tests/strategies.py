"""Foreign bytes for property tests: sound documents, and the same after somebody spoiled them.

    @given(spoiled(st.just(SOUND)))            # bytes changed, cut, doubled, put in
    @given(restructured(SOUND, names=("Key",)))  # still XML, and another document

A reader of any format may use them: what it makes of a spoiled document is a value or one of our
errors, whatever the bytes are.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from xml.etree import ElementTree

from hypothesis import strategies as st

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
"""Keys as S3 allows them, odd ones too."""
NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"], exclude_characters="/*"),
    min_size=1,
    max_size=20,
)
"""Last parts of keys, as a sidecar can name them."""

TELLING = (
    b"\0",
    b"\r",
    b"\n",
    b" ",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"&",
    b"&#0;",
    b"<!--",
    b"<",
    b"]]>",
    b'"',
    b"%",
    b"-1",
    b"9" * 30,
    b"9" * 5000,
    "²".encode(),
    "٣".encode(),
    b'<?xml version="1.0" encoding="none-such"?>',
    b'<?xml version="1.0" encoding="shift_jis"?>',
)
"""What readers stumble over."""

HEADERS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"",
            b" ",
            b'"',
            b'""',
            b'"\xff\xfe"',
            b"9" * 30,
            b"9" * 5000,
            b"-1",
            b"bytes 0-1/" + b"9" * 5000,
            b"bytes 0-1/*",
            b"bytes */0",
            b"Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
            b"Mon, 01 Jan 0000 00:00:00 -9999",
            b"Mon, 01 Jan 2020 00:00:00 +999999999999999999",
            b"31 Dec 9999 23:59:59 -1400",
            b"Fri, 32 Foo",
        ]
    ),
).map(lambda value: value.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b""))
"""Values of headers: libcurl lets no line break and no NUL through."""


@st.composite
def spoiled(draw: st.DrawFn, documents: st.SearchStrategy[bytes]) -> bytes:
    """A document in which bytes are changed, cut out, doubled or put in, once to four times."""
    data = bytearray(draw(documents))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        piece = bytes(data[start:end])
        data[start:end] = draw(
            st.one_of(
                st.just(b""),
                st.just(piece * 2),
                st.binary(max_size=4),
                st.sampled_from(TELLING),
                st.sampled_from(TELLING).map(piece.__add__),
            )
        )
    return bytes(data)


@st.composite
def restructured(draw: st.DrawFn, document: bytes, names: Sequence[str]) -> bytes:
    """A sound XML document whose elements were dropped, doubled, nested, wrapped or renamed.

    No text is made up: what it says, `document` said somewhere.
    """
    root = ElementTree.fromstring(document)
    for _ in range(draw(st.integers(1, 4))):
        parents = [element for element in root.iter() if len(element)]
        if not parents:
            break
        parent = draw(st.sampled_from(parents))
        place = draw(st.integers(0, len(parent) - 1))
        draw(st.sampled_from(_CHANGES))(parent, place, draw(st.sampled_from(names)))
    return ElementTree.tostring(root)


Change = Callable[[ElementTree.Element, int, str], None]


def _drop(parent: ElementTree.Element, place: int, name: str) -> None:
    del parent[place]


def _double(parent: ElementTree.Element, place: int, name: str) -> None:
    parent.append(deepcopy(parent[place]))


def _wrap(parent: ElementTree.Element, place: int, name: str) -> None:
    wrapper = ElementTree.Element(name)
    wrapper.append(parent[place])
    parent[place] = wrapper


def _nest(parent: ElementTree.Element, place: int, name: str) -> None:
    """Into the one before it."""
    child = parent[place]
    del parent[place]
    parent[place - 1].append(child) if place else parent.append(child)


def _rename(parent: ElementTree.Element, place: int, name: str) -> None:
    parent[place].tag = name


def _split(parent: ElementTree.Element, place: int, name: str) -> None:
    """An element in the middle of a text."""
    child = parent[place]
    text = child.text or ""
    inner = ElementTree.Element(name)
    inner.tail, child.text = text[len(text) // 2 :], text[: len(text) // 2]
    child.insert(0, inner)


_CHANGES: tuple[Change, ...] = (_drop, _double, _wrap, _nest, _rename, _split)
