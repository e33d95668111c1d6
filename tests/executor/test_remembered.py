"""What was asked for a moment ago is not asked again."""

import asyncio

import pytest

from lakebed.executor.remembered import Remembered


class Source:
    """Answers how often it was asked, once it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.may = asyncio.Event()
        self.may.set()

    async def __call__(self) -> int:
        self.asked += 1
        await self.may.wait()
        if self.asked == 1:
            raise ValueError("the first time fails")
        return self.asked


def test_an_answer_is_kept_and_an_error_is_not() -> None:
    async def story() -> None:
        source, remembered = Source(), Remembered[str, int](60.0)
        with pytest.raises(ValueError, match="the first"):
            await remembered.get("a", source)
        assert [await remembered.get("a", source) for _ in range(2)] == [2, 2]
        assert await remembered.get("b", source) == 3

    asyncio.run(story())


def test_an_old_answer_is_asked_for_anew() -> None:
    async def story() -> None:
        source, remembered = Source(), Remembered[str, int](-1.0)
        source.asked = 1
        assert [await remembered.get("a", source) for _ in range(2)] == [2, 3]

    asyncio.run(story())


def test_who_asks_meanwhile_waits_for_the_same_answer_and_may_leave() -> None:
    async def story() -> None:
        source, remembered = Source(), Remembered[str, int](60.0)
        source.asked = 1
        source.may.clear()
        waiting = [asyncio.create_task(remembered.get("a", source)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting.pop(0).cancel()
        source.may.set()
        assert await asyncio.gather(*waiting) == [2, 2]

    asyncio.run(story())


def test_only_so_many_are_kept() -> None:
    async def story() -> None:
        source, remembered = Source(), Remembered[int, int](60.0, most=2)
        source.asked = 1
        first = [await remembered.get(key, source) for key in (1, 2, 3)]
        again = [await remembered.get(key, source) for key in (3, 2, 1)]
        assert (first, again) == ([2, 3, 4], [4, 3, 5])

    asyncio.run(story())
