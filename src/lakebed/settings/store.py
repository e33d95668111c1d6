"""One store of the configuration: `[stores.NAME]`."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from lakebed.errors import UsageError
from lakebed.model.location import LOCAL_STORE
from lakebed.model.quantity import MAX_DURATION, parse_duration, parse_size
from lakebed.settings.secret import is_reference

Addressing = Literal["path", "virtual"]
Digests = Literal["sidecar", "off"]
Authentication = Literal["anonymous", "static", "chain"]


def _endpoint(text: str) -> str:
    parts = urlsplit(text)
    if parts.username or parts.password:
        raise ValueError("credentials do not belong in the URL: use access_key and secret_key")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write http://HOST:PORT or https://HOST")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("an endpoint has no path: the bucket belongs into the location")
    _ = parts.port  # raises ValueError where it is no number
    return f"{parts.scheme}://{parts.netloc}"


def _proxy(secret: SecretStr) -> SecretStr:
    if not is_reference(secret.get_secret_value()):
        check_proxy(secret.get_secret_value())
    return secret


def check_proxy(text: str) -> None:
    """Raises ValueError where it is no URL of a proxy."""
    # Nothing of the text is repeated, and neither is what the parser says of it.
    try:
        parts = urlsplit(text)
        _ = parts.port
        more = parts.path.strip("/") or parts.query or parts.fragment
        readable = parts.scheme in ("http", "https") and parts.hostname and not more
    except ValueError:
        readable = False
    if not readable or any(character.isspace() for character in text):
        raise ValueError(
            "write http://HOST:PORT or https://HOST:PORT; a password before the host "
            "has %20 for a blank, %2F for a /"
        )


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_duration(value)
    except UsageError as error:
        raise ValueError(f"{error.what} ({error.advice})") from None


def read_size(value: object) -> object:
    """A number, or a text like `64MiB`."""
    if not isinstance(value, str):
        return value
    try:
        return parse_size(value)
    except UsageError as error:
        raise ValueError(f"{error.what} ({error.advice})") from None


def _words(value: object) -> object:
    """A variable of the environment holds a list with commas."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


Endpoint = Annotated[str, AfterValidator(_endpoint)]
Proxy = Annotated[SecretStr, AfterValidator(_proxy)]
Seconds = Annotated[
    float,
    BeforeValidator(
        _seconds, json_schema_input_type=Annotated[float, Field(gt=0, le=MAX_DURATION)] | str
    ),
    Field(gt=0, le=MAX_DURATION),
]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]

FROZEN = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Timeouts(BaseModel):
    """How long a store may take, in seconds; a text like `30s` or `5m` is read too."""

    model_config = FROZEN

    connect: Seconds = 4.0
    """Seconds to open a connection, TLS included; below the five in which a stop is promised."""
    stall: Seconds = 60.0
    """Seconds in which not one byte came or went."""
    total: Seconds = 3600.0
    """Seconds for one request with its body: the last resort against a trickle."""


class StoreSettings(BaseModel):
    """One S3 endpoint with its credentials, addressing and TLS."""

    model_config = FROZEN

    name: SkipJsonSchema[str] = ""
    """The NAME of `[stores.NAME]`; never written inside the table."""
    region: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9-]+$")] = "us-east-1"
    """What requests are signed for and, without an endpoint, where they go."""
    endpoint: Endpoint | None = None
    """As `https://HOST:PORT`; without it, Amazon S3 in `region`."""
    access_key: SecretStr | None = None
    """Half of the keys that sign requests; the other is `secret_key`."""
    secret_key: SecretStr | None = None
    """Belongs to `access_key`."""
    session_token: SecretStr | None = None
    """Belongs to keys that were lent for a time."""
    credentials: Literal["static", "chain"] | None = None
    """Where keys come from: `static` are the three above, `chain` is what the AWS tools would find.
    By default static where keys are given, else the chain."""
    profile: str | None = None
    """The profile of the AWS configuration that the chain uses."""
    anonymous: bool = False
    """Requests are not signed."""
    addressing: Addressing = Field(
        default_factory=lambda data: "virtual" if data.get("endpoint") is None else "path"
    )
    """Whether the bucket stands in the path or, `virtual`, before the host."""
    ca: Path | None = None
    """A file with the certificates that are trusted instead of the system's."""
    proxy: Proxy | None = None
    """The URL of an HTTP proxy; by default the one of `https_proxy` or
    `http_proxy`. Secret, for it may hold a password."""
    timeouts: Timeouts = Timeouts()
    digests: Digests = "sidecar"
    """Whether `X.CHECKSUM` publishes the digest of `X` here."""
    disable: Words = ()
    """Capabilities that are not used even where a bucket has them; `lakebed stores` names them."""
    default: bool = False
    """Whether `s3://` means this store."""

    @property
    def url(self) -> str:
        """The endpoint that is talked to, without a final slash."""
        if self.endpoint is not None:
            return self.endpoint
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"https://s3.{self.region}.{suffix}"

    @property
    def authentication(self) -> Authentication:
        if self.anonymous:
            return "anonymous"
        return self.credentials or ("static" if self.access_key else "chain")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        keys = [self.access_key, self.secret_key]
        if self.anonymous and (any(keys) or self.session_token or self.profile or self.credentials):
            raise ValueError("anonymous contradicts credentials: keep one of the two")
        if any(keys) != all(keys):
            raise ValueError("access_key and secret_key belong together: one is missing")
        if self.session_token and not all(keys):
            raise ValueError("session_token needs access_key and secret_key")
        if self.authentication == "chain" and any(keys):
            raise ValueError('credentials = "chain" contradicts access_key: keep one of the two')
        if self.authentication == "static" and not any(keys):
            raise ValueError('credentials = "static" needs access_key and secret_key')
        if self.authentication == "static" and self.profile:
            raise ValueError("profile contradicts access_key: keep one of the two")
        return self


class FolderSettings(StoreSettings):
    """The folders of this machine: nobody configures them."""

    name: str = LOCAL_STORE
    anonymous: bool = True

    @property
    def url(self) -> str:
        return "file://"
