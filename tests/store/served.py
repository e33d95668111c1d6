"""An S3Store on a server that a fixture started."""

from dataclasses import replace

from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Properties
from lakebed.store.s3.client import Client, Endpoint
from lakebed.store.s3.credentials import Credentials
from lakebed.store.s3.s5cmd import S5cmd
from lakebed.store.s3.store import S3Store
from tests.fixtures_stores import Served


def open_served(served: Served) -> S3Store:
    """A store of its own on that server, without retries."""
    endpoint = Endpoint(name=served.engine, url=served.endpoint, region="us-east-1")
    credentials = Credentials(served.access_key, served.secret_key)
    cancellation = Cancellation()
    client = Client(endpoint, lambda: credentials, cancellation)
    batches = S5cmd(endpoint, lambda: credentials, cancellation)
    return S3Store(client, Properties(identity=served.endpoint), batches)


def with_wrong_secret(served: Served) -> Served:
    return replace(served, secret_key="not-" + served.secret_key)


def with_unknown_key(served: Served) -> Served:
    return replace(served, access_key="NOBODYKNOWSTHISKEY00")
