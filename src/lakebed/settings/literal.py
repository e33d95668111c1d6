"""Secrets that are written where only a reference to them should be."""

import hashlib
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

from pydantic import SecretStr

from lakebed.settings.file import SQLITE, File
from lakebed.settings.finding import Finding
from lakebed.settings.layers import Layers
from lakebed.settings.locate import Place
from lakebed.settings.root import Settings
from lakebed.settings.secret import is_reference
from lakebed.settings.shape import is_secret, leaves

HIDDEN = "***"
_IDENTIFIERS = ("access_key",)
"""They say who asks, and travel in the clear with each request: no secrets, and not shown."""
_URLS = ("ledger", "proxy")
_HOST = r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?"
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+]*)://(?:(?P<user>[^@/?#]*)@)?"
    rf"(?P<place>(?:{_HOST}(?:,{_HOST})*)?(?:/[^@?#]*)?)(?:\?(?P<query>[^@#]*))?",
    re.ASCII,
)
"""One of which it is sure what in it is a secret; any other is one as a whole."""
_SECRET_OPTION = re.compile("(?i)pass(?!file)|secret|token|key(?!words)")


def shown(key: str, secret: SecretStr) -> str:
    """What may be told of a secret setting of this name: where it is kept, or that there is one."""
    text = secret.get_secret_value()
    if is_reference(text):
        return text
    if key in _IDENTIFIERS:
        return f"{HIDDEN} {hashlib.sha256(text.encode()).hexdigest()[:8]}"
    path, mark, _ = text.partition("?")
    if key == "ledger" and path.startswith(SQLITE):
        return f"{path}{mark and mark + HIDDEN}"
    url = _URL.fullmatch(text) if key in _URLS else None
    if url is None:
        return HIDDEN
    user = f"{HIDDEN}@" if url["user"] is not None else ""
    query = f"?{HIDDEN}" if url["query"] is not None else ""
    return f"{url['scheme']}://{user}{url['place']}{query}"


def is_literal(key: str, text: str) -> bool:
    """Whether the value of a secret setting is a secret, and not only where one is kept."""
    if is_reference(text) or key in _IDENTIFIERS or not text:
        return False
    if key == "ledger" and text.startswith(SQLITE):
        return False
    url = _URL.fullmatch(text) if key in _URLS else None
    if url is None:
        return True
    if key == "proxy" and (url["user"] or url["query"]):
        return True
    _, _, password = (url["user"] or "").partition(":")
    options = (name for name, _ in parse_qsl(url["query"] or "", keep_blank_values=True))
    return bool(password) or any(map(_SECRET_OPTION.search, options))


def literals(layers: Layers) -> list[Finding]:
    """Each secret that a file of the configuration holds itself."""
    return [_finding(file, place) for file in layers.files for place in _places(file)]


def _places(file: File) -> Iterator[Place]:
    for place, value in leaves(file.table):
        if is_secret(Settings, place):
            texts = value if isinstance(value, list) else [value]
            if any(isinstance(text, str) and is_literal(str(place[-1]), text) for text in texts):
                yield place


def _finding(file: File, place: Place) -> Finding:
    return Finding(
        "a secret does not belong in the file",
        ".".join(map(str, place)),
        str(file.path),
        file.lines.get(place),
        advice="keep it elsewhere, and write env:NAME or file:PATH",
    )
