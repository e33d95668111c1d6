"""A replica hears whole lines, and waits for none."""

import asyncio
import os
from collections.abc import Sequence
from multiprocessing import Pipe

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakebed.executor import hearing
from lakebed.executor.hearing import heard


def hear(pieces: Sequence[bytes], close: bool = False) -> list[bytes]:
    """The lines of what is written in these pieces."""

    async def story() -> list[bytes]:
        lines: list[bytes] = []
        hears, tells = Pipe(duplex=False)
        with hears, tells, heard(hears, lines.append):
            for piece in pieces:
                os.write(tells.fileno(), piece)
                await asyncio.sleep(0)
            if close:
                tells.close()
                await asyncio.sleep(0.01)
        return lines

    return asyncio.run(story())


@settings(max_examples=30)
@given(st.lists(st.binary(min_size=1, max_size=9), max_size=9), st.booleans())
def test_lines_are_heard_however_they_come(pieces: list[bytes], close: bool) -> None:
    assert hear(pieces, close) == b"".join(pieces).split(b"\n")[:-1]


def test_a_line_that_does_not_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "MOST", 4)
    assert hear([b"123456", b"7\n", b"next\n"])[-1] == b"next"
