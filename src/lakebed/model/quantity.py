"""Sizes and durations as people write them."""

import re
import threading
from datetime import UTC, datetime, timedelta

from lakebed.errors import UsageError

KIB, MIB, GIB, TIB = 1024, 1024**2, 1024**3, 1024**4

MAX_SIZE = 2**63 - 1
"""Bytes; what the ledger's databases can hold, and far above any object."""
MIN_BANDWIDTH = 16 * KIB
"""Bytes a second; of less a connection would often be silent for so long that it is given up."""
MAX_DURATION = min(36_525 * 86_400.0, threading.TIMEOUT_MAX)
"""Seconds: a hundred years, or the longest wait that this system has for a thread."""
_SHOWN = 60

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?b?)", re.IGNORECASE)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)?", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_POWER = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def parse_size(text: str) -> int:
    """Bytes from `10485760`, `64MiB`, `64M` or `1.5g`; suffixes are binary, as rclone's are.

    A number alone is bytes; rclone would take it for KiB.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError("not a size", subject=_short(text), advice="write 100, 64MiB or 5GiB")
    try:
        size = int(float(match[1]) * KIB ** _POWER[match[2].lower()])
    except OverflowError:
        size = MAX_SIZE + 1
    if size > MAX_SIZE:
        raise UsageError("too large", subject=_short(text), advice="a size is below 8 EiB")
    return size


def parse_bandwidth(text: str) -> int | None:
    """Bytes a second from `10M` or `10MiB/s`; None from `off`."""
    text = text.strip()
    if text.lower() == "off":
        return None
    rate = parse_size(text.removesuffix("/s"))
    if rate < MIN_BANDWIDTH:
        least = format_size(MIN_BANDWIDTH)
        raise UsageError("too little", subject=_short(text), advice=f"at least {least}/s, or off")
    return rate


def parse_duration(text: str) -> float:
    """Seconds from `90`, `30s`, `5m`, `2h`, `7d` or `1w`."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise UsageError("not a duration", subject=_short(text), advice="write 30s, 5m, 2h or 7d")
    seconds = float(match[1]) * _SECONDS[(match[2] or "s").lower()]
    if seconds > MAX_DURATION:
        longest = int(MAX_DURATION // 86_400)
        raise UsageError("too long", subject=_short(text), advice=f"at most {longest}d")
    return seconds


def parse_moment(text: str, now: datetime) -> datetime:
    """A moment in UTC from an ISO date (`2026-05-08`, `2026-05-08T12:00Z`) or an age (`7d`)."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        if _DURATION.fullmatch(text.strip()) is None:
            raise UsageError(
                "neither a date nor an age", subject=_short(text), advice="write 2026-05-08 or 7d"
            ) from None
        return now - timedelta(seconds=parse_duration(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def format_size(size: float) -> str:
    """`1.5 MiB`; whole bytes below 1 KiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size) < KIB:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= KIB
    return f"{size:.1f} TiB"


def format_duration(seconds: float) -> str:
    """`0.8 s`, `42 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
