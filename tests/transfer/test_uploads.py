"""Uploads under way: in which parts, and which of them another run need not send again."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import Part
from lakebed.model.quantity import MIB, TIB
from lakebed.store.contract import Properties
from lakebed.transfer.lanes import resumable
from lakebed.transfer.lanes.multipart import part_size
from lakebed.transfer.uploads import Begun, UploadsInMemory

S3 = Properties(identity="s3")
SIZE, STEP = 95, 10


def begun(algorithm: Algorithm | None = None, parts: tuple[Part, ...] = ()) -> Begun:
    return Begun("key", "etag", SIZE, STEP, algorithm, "id", parts)


@settings(deadline=None, max_examples=60)
@given(st.one_of(st.integers(resumable.LEAST, 200 * MIB), st.integers(resumable.LEAST, 5 * TIB)))
def test_parts_cover_any_object_within_the_limits_of_s3(size: int) -> None:
    step = part_size(size, S3, resumable.PART)
    spans = Begun("key", "etag", size, step).spans()
    assert (spans[0].start, spans[-1].end) == (0, size)
    assert all(left.end == right.start for left, right in pairwise(spans))
    assert len(spans) <= S3.max_parts
    assert all(span.size == step for span in spans[:-1])
    assert 0 < spans[-1].size <= step
    assert S3.min_part <= step <= S3.max_put
    assert step == resumable.PART or size > resumable.PART * S3.max_parts


CHECKSUMS = st.sampled_from([None, Checksum(Algorithm.CRC64NVME, 1), Checksum(Algorithm.CRC32C, 1)])
PARTS = st.lists(
    st.builds(
        Part,
        number=st.integers(1, 11),
        etag=st.sampled_from("ab"),
        size=st.sampled_from([STEP, SIZE % STEP, 1]),
        checksum=CHECKSUMS,
    )
)


@given(PARTS, PARTS, st.sampled_from([None, *Algorithm]))
def test_a_part_is_kept_where_ledger_store_and_plan_agree(
    ours: list[Part], theirs: list[Part], algorithm: Algorithm | None
) -> None:
    ours = list({part.number: part for part in ours}.values())
    sizes = {number: span.size for number, span in enumerate(begun().spans(), start=1)}
    kept = begun(algorithm, tuple(ours)).kept(theirs).parts
    there = [(part.number, part.etag, part.size) for part in theirs]
    for part in ours:
        agreed = (part.number, part.etag, part.size) in there
        planned = sizes.get(part.number) == part.size
        provable = (part.checksum.algorithm if part.checksum else None) == algorithm
        assert (part in kept) == (agreed and planned and provable)
    assert [part.number for part in kept] == sorted({part.number for part in kept})


def test_what_both_know_is_kept_as_it_is() -> None:
    part = Part(3, "a", STEP, Checksum(Algorithm.CRC32C, 7))
    upload = begun(Algorithm.CRC32C, (part,))
    assert upload.kept([replace(part, checksum=None)]) == upload
    assert upload.kept([]) == begun(Algorithm.CRC32C)
    assert upload.intent() == replace(begun(Algorithm.CRC32C), upload_id=None)


def test_a_memory_of_uploads_forgets_what_ended() -> None:
    memory = UploadsInMemory()
    memory.intend(begun(parts=(Part(1, "a", STEP),)))
    assert memory.find("key") == begun().intent()
    memory.begin("key", "id")
    memory.add("key", Part(2, "b", STEP))
    memory.add("key", Part(1, "c", STEP))
    memory.add("key", Part(2, "d", STEP))
    assert memory.find("key") == begun(parts=(Part(1, "c", STEP), Part(2, "d", STEP)))
    memory.forget("key")
    assert memory.find("key") is None
