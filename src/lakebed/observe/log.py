"""The log: one line a message on stderr, and no secret in it."""

import logging
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TextIO

LOGGER = "lakebed"
HIDDEN = "***"

_SECRETS: Sequence[tuple[re.Pattern[str], str]] = [
    (re.compile(rf"(?i)({name})[^\s&,;'\"]+"), rf"\1{HIDDEN}")
    for name in (
        r"x-amz-(?:signature|credential|security-token)\s*[=:]\s*['\"]?",
        r"\b(?:signature|credential)=",
        r"authorization['\"]?\s*[=:]\s*['\"]?(?:aws4-hmac-sha256|basic|bearer)\s+",
        # A bare word after a colon is prose where a setting is named: `secret_key: cannot …`.
        r"(?:secret|token)(?:[_-]?(?:access)?[_-]?key)?"
        r"(?:['\"]?\s*=\s*['\"]?|['\"]?\s*:\s*['\"]|['\"]\s*:\s*)",
        r"(?:password|passwd)(?:[_-]?(?:access)?[_-]?key)?['\"]?\s*[=:]\s*['\"]?",
    )
] + [
    (re.compile(r"://[^/\s@:]*:[^/\s@]*@"), f"://{HIDDEN}@"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), HIDDEN),
]


def redact(text: str) -> str:
    """`text` without what looks like a credential, a signature or a password."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


@dataclass(frozen=True, slots=True)
class _Carried:
    operation_id: str = ""
    trace_id: str = ""


_NOTHING = _Carried()
_carried: ContextVar[_Carried] = ContextVar("carried", default=_NOTHING)


@contextmanager
def carrying(operation_id: str, trace_id: str) -> Iterator[None]:
    """Every record of the scope, in this thread, says of which operation and trace it is."""
    before = _carried.set(_Carried(operation_id, trace_id))
    try:
        yield
    finally:
        _carried.reset(before)


class Correlated(logging.Filter):
    """Gives each record its `operation_id` and `trace_id`, empty outside of a traced operation."""

    def filter(self, record: logging.LogRecord) -> bool:
        carried = _carried.get()
        record.operation_id, record.trace_id = carried.operation_id, carried.trace_id
        return True


class Once(logging.Filter):
    """Lets each message of `opentelemetry` pass once: a collector that is away is no news the
    second time, and no span that is dropped for it is."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("opentelemetry"):
            return True
        first = str(record.msg) not in self._passed
        self._passed.add(str(record.msg))
        return first


class OneLine(logging.Formatter):
    """`warning: message`; at debug with the time, the module and a trace."""

    def format(self, record: logging.LogRecord) -> str:
        message = " ".join(record.getMessage().splitlines())
        line = f"{record.levelname.lower()}: {message}"
        if trace_id := getattr(record, "trace_id", ""):
            line = f"{line} [operation {getattr(record, 'operation_id', '')} trace {trace_id}]"
        if not logging.getLogger(LOGGER).isEnabledFor(logging.DEBUG):
            return redact(line)
        line = f"{self.formatTime(record, '%H:%M:%S')}.{record.msecs:03.0f} {record.name} {line}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return redact(line)


class StandardError(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at that moment, so that a live display can hold it back."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(OneLine())
        self.addFilter(Correlated())
        self.addFilter(Once())

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        raise AttributeError("the stream is always stderr")


def configure(level: int) -> None:
    """Log messages of `lakebed` from `level` on, and warnings of everything else."""
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, StandardError)]:
        root.removeHandler(handler)
    root.addHandler(StandardError())
    logging.getLogger(LOGGER).setLevel(level)


def level_of(verbose: int, quiet: bool, debug: bool, configured: str) -> int:
    """The level that -v, -q and --debug ask for; without them, the configured one."""
    if debug or verbose > 1:
        return logging.DEBUG
    if verbose:
        return logging.INFO
    if quiet:
        return logging.ERROR
    return logging.getLevelNamesMapping()[configured.upper()]
