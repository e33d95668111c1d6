"""What the server of processes imports and makes before its first one, so that none waits for it.

Children share these pages. What is there for good is taken out of the sight of the collector, which
would else write to each of them.
"""

import gc

import awscrt.checksums  # noqa: F401

import lakebed.executor.worker
import lakebed.store.probe  # noqa: F401
from lakebed.model.location import Location
from lakebed.model.operation import Kind, Options, Request
from lakebed.operations.request_json import dump_request

_NOWHERE = Location("store", "bucket")
dump_request(Request(_NOWHERE, _NOWHERE, Kind.SYNC, Options()))  # makes its reader and writer
gc.collect()
gc.freeze()
