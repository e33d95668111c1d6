"""Lines of a body as it comes: only a line feed ends one, for keys may hold anything else."""

from collections.abc import AsyncIterable, AsyncIterator


async def lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Without their ends; a last one without an end is one too."""
    held = b""
    async for chunk in chunks:
        *whole, held = (held + chunk).split(b"\n")
        for line in whole:
            yield line
    if held:
        yield held
