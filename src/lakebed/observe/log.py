"""The log: one line a message on stderr, for people or as JSON, and no secret in it."""

import json
import logging
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
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
class Carried:
    """What each record says beside its message: what it is of. Empty is not said."""

    operation_id: str = ""
    trace_id: str = ""
    span_id: str = ""
    caller: str = ""


NOTHING = Carried()
_carried: ContextVar[Carried | None] = ContextVar("carried", default=None)


@contextmanager
def carrying(
    operation_id: str, trace_id: str, span_id: str = "", caller: str = ""
) -> Iterator[None]:
    """Every record of the scope, in this thread or task, says of what it is."""
    before = _carried.set(Carried(operation_id, trace_id, span_id, caller))
    try:
        yield
    finally:
        _carried.reset(before)


class Correlated(logging.Filter):
    """Gives each record what is carried: in its scope, else by the whole process."""

    def __init__(self, process: Carried = NOTHING) -> None:
        super().__init__()
        self._process = process

    def filter(self, record: logging.LogRecord) -> bool:
        ours, carried = self._process, _carried.get() or self._process
        record.operation_id = carried.operation_id or ours.operation_id
        record.trace_id = carried.trace_id or ours.trace_id
        record.span_id = carried.span_id
        record.caller = carried.caller or ours.caller
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
            operation_id = getattr(record, "operation_id", "")
            of = f"operation {operation_id} " if operation_id else ""
            line = f"{line} [{of}trace {trace_id}]"
        if not logging.getLogger(LOGGER).isEnabledFor(logging.DEBUG):
            return redact(line)
        line = f"{self.formatTime(record, '%H:%M:%S')}.{record.msecs:03.0f} {record.name} {line}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return redact(line)


class JsonLine(logging.Formatter):
    """One JSON object, in ASCII: no text of a message can end the line or begin another.

    A record that is of a request has its `method`, `route`, `status` and `seconds` in `request`.
    """

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        told: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        for name in Carried.__dataclass_fields__:
            if value := getattr(record, name, ""):
                told[name] = value
        told |= getattr(record, "request", {})
        if record.exc_info:
            told["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(told)


class StandardError(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at that moment, so that a live display can hold it back."""

    def __init__(
        self, formatter: logging.Formatter | None = None, process: Carried = NOTHING
    ) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(formatter or OneLine())
        self.addFilter(Correlated(process))
        self.addFilter(Once())

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        raise AttributeError("the stream is always stderr")


def configure(level: int, *, as_json: bool = False, process: Carried = NOTHING) -> None:
    """Log messages of `lakebed` from `level` on, and warnings of everything else.

    `process` is what each record of this process is of, where its scope does not say.
    """
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, StandardError)]:
        root.removeHandler(handler)
    root.addHandler(StandardError(JsonLine() if as_json else OneLine(), process))
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
