"""A store from its settings, with its policies stacked around it: the one place that does so."""

import logging
import os
from collections.abc import Callable
from urllib.parse import urlsplit

from lakebed.errors import ConfigurationError, LakebedError
from lakebed.observe.telemetry import SILENT, Telemetry
from lakebed.settings.secret import reveal
from lakebed.settings.store import FolderSettings, StoreSettings, check_proxy
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import Capability
from lakebed.store.contract import Properties, Store
from lakebed.store.folder.store import FolderStore
from lakebed.store.pace.paces import Limits
from lakebed.store.s3.client import Client, Endpoint
from lakebed.store.s3.credentials import credential_source
from lakebed.store.s3.s5cmd import S5cmd
from lakebed.store.s3.store import S3Store
from lakebed.store.wrappers.bandwidth import Bandwidth
from lakebed.store.wrappers.fenced import Fence, Fenced
from lakebed.store.wrappers.measure import Measure
from lakebed.store.wrappers.pace import Paced
from lakebed.store.wrappers.retry import Backoff, Retry
from lakebed.store.wrappers.trace import Trace

Retried = Callable[[str, LakebedError], None]


def open_store(
    settings: StoreSettings,
    cancellation: Cancellation,
    *,
    backoff: Backoff | None = None,
    retried: Retried = lambda verb, error: None,
    limits: Limits | None = None,
    telemetry: Telemetry = SILENT,
    fence: Fence | None = None,
) -> Store:
    """The store that `settings` describe; nothing is sent yet. Close it after use.

    From the wire up: S3, or the file system; then the fence of whose operation it is; then what
    tells of each request where somebody
    listens, then a line for each where debugging is on, then the line to the network where it is
    bounded, then the pace, then retries, which wait outside of it.
    """
    unknown = sorted(set(settings.disable) - set(Capability))
    if unknown:
        raise ConfigurationError(
            f"no such capability: {', '.join(unknown)}",
            subject=f"stores.{settings.name}.disable",
            advice=f"known: {', '.join(Capability)}",
        )
    limits = limits or Limits()
    store = _bare(settings, cancellation, limits.most)
    if fence is not None:
        store = Fenced(store, fence)
    if telemetry.on:
        store = Measure(store, telemetry, urlsplit(settings.url).netloc)
    if logging.getLogger("lakebed.store").isEnabledFor(logging.DEBUG):
        store = Trace(store)
    if limits.line is not None:
        store = Bandwidth(store, limits.line, cancellation)
    store = Paced(store, limits.pace, limits.most, cancellation)
    return Retry(store, backoff or Backoff(), cancellation, retried, pace=limits.pace)


def _bare(settings: StoreSettings, cancellation: Cancellation, most: int) -> Store:
    identity = identity_of(settings)
    if isinstance(settings, FolderSettings):
        return FolderStore(cancellation, identity)
    endpoint, credentials = _endpoint(settings), credential_source(settings)
    return S3Store(
        Client(endpoint, credentials, cancellation),
        Properties(identity=identity),
        S5cmd(endpoint, credentials, cancellation, most),
    )


def _endpoint(settings: StoreSettings) -> Endpoint:
    return Endpoint(
        name=settings.name,
        url=settings.url,
        region=settings.region,
        virtual=settings.addressing == "virtual",
        ca=str(settings.ca) if settings.ca else None,
        proxy=_proxy(settings),
        connect_timeout=settings.timeouts.connect,
        stall_timeout=settings.timeouts.stall,
        total_timeout=settings.timeouts.total,
    )


def _proxy(settings: StoreSettings) -> str | None:
    if settings.proxy is None:
        return None
    subject = f"stores.{settings.name}.proxy"
    text = reveal(settings.proxy, os.environ, subject)
    try:
        check_proxy(text)
    except ValueError as error:
        raise ConfigurationError(str(error), subject=subject) from None
    return text


def identity_of(settings: StoreSettings) -> str:
    """Equal where one set of credentials reaches both ends at one endpoint."""
    key = settings.access_key.get_secret_value() if settings.access_key else ""
    return "|".join((settings.url, settings.authentication, settings.profile or "", key))
