"""Where a store's requests get their credentials from."""

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakebed.errors import ConfigurationError, CredentialsRefused
from lakebed.settings.secret import reveal
from lakebed.settings.store import StoreSettings

if TYPE_CHECKING:
    from botocore.credentials import Credentials as Resolved


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs a request."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


CredentialSource = Callable[[], Credentials | None]
"""Asked before each request; None: the request is not signed. Raises CredentialsRefused where
there are none to be had, ConfigurationError where the settings cannot be followed."""


def credential_source(
    settings: StoreSettings, environ: Mapping[str, str] = os.environ
) -> CredentialSource:
    """The source that `settings` ask for. Nothing is read before it is first called."""
    if settings.authentication == "anonymous":
        return lambda: None
    if settings.authentication == "static":
        return Static(settings, environ)
    return Chain(settings)


class Static:
    """The keys of the configuration, read once."""

    def __init__(self, settings: StoreSettings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ
        self._lock = threading.Lock()
        self._found: Credentials | None = None

    def __call__(self) -> Credentials:
        with self._lock:
            if self._found is None:
                self._found = Credentials(
                    access_key=self._read("access_key") or "",
                    secret_key=self._read("secret_key") or "",
                    session_token=self._read("session_token"),
                )
            return self._found

    def _read(self, setting: str) -> str | None:
        secret = getattr(self._settings, setting)
        subject = f"stores.{self._settings.name}.{setting}"
        return reveal(secret, self._environ, subject) if secret is not None else None


class Chain:
    """What botocore finds: environment, profile, web identity, instance role.

    Short-lived credentials are renewed by botocore, a while before they expire; asking is cheap in
    between.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._resolved: Resolved | None = None

    def __call__(self) -> Credentials:
        from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

        try:
            frozen = self._resolve().get_frozen_credentials()
        except ProfileNotFound:
            raise ConfigurationError(
                f"no profile {self._settings.profile or os.environ.get('AWS_PROFILE', '')!r}",
                subject=self._subject,
                advice="see `aws configure list-profiles`",
            ) from None
        except (BotoCoreError, ClientError) as error:
            raise CredentialsRefused(
                f"the credential chain failed: {' '.join(str(error).split())}",
                subject=self._subject,
                advice="check the AWS_ variables, the profile and the role",
            ) from error
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    @property
    def _subject(self) -> str:
        return f"stores.{self._settings.name}"

    def _resolve(self) -> "Resolved":
        from botocore.session import Session

        with self._lock:
            if self._resolved is None:
                session = Session(profile=self._settings.profile)
                # STS, where a web identity or a role asks for it, is called in a region.
                session.set_config_variable("region", self._settings.region)
                self._resolved = session.get_credentials()
            if self._resolved is None:
                raise CredentialsRefused(
                    "no credentials were found",
                    subject=self._subject,
                    advice="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, "
                    "access_key and secret_key, or anonymous = true",
                )
            return self._resolved
