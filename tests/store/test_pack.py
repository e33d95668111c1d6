"""Many objects as one tar: whoever reads tars finds them as they are."""

import io
import tarfile

from hypothesis import given
from hypothesis import strategies as st

from lakebed.model.objects import Attributes
from lakebed.store.contract import Member
from lakebed.store.s3.pack import packed

KEYS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=300
).filter(lambda key: not key.endswith("/"))
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=120)
NAMES = st.from_regex(r"[a-z][a-z-]{0,30}", fullmatch=True)
MEMBERS = st.builds(
    Member,
    KEYS,
    st.lists(st.binary(max_size=1500), max_size=3),
    st.builds(
        Attributes,
        st.dictionaries(st.sampled_from(["content-type", "cache-control"]), VALUES, max_size=2),
        st.dictionaries(NAMES, VALUES, max_size=3),
    ),
)


@given(st.lists(MEMBERS, max_size=12))
def test_a_reader_of_tars_finds_each_object_with_its_bytes_and_records(
    members: list[Member],
) -> None:
    with tarfile.open(fileobj=io.BytesIO(b"".join(packed(members)))) as tar:
        for member in members:
            found = tar.next()
            assert found is not None
            assert found.isreg()
            assert found.name == member.key
            data = tar.extractfile(found)
            assert data is not None
            assert data.read() == b"".join(member.pieces)
            attributes = member.attributes
            records = {f"minio.metadata.{n}": v for n, v in attributes.headers.items()}
            records |= {f"minio.metadata.x-amz-meta-{n}": v for n, v in attributes.metadata.items()}
            assert found.pax_headers == {"path": member.key} | records
        assert tar.next() is None


def test_a_tar_comes_in_large_pieces() -> None:
    members = [Member(f"k{number}", (b"x" * 10_000,)) for number in range(100)]
    pieces = list(packed(members))
    assert len(pieces) <= 5
    assert sum(map(len, pieces)) % 512 == 0
