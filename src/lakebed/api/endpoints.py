"""Every request of the client: where it goes, what it takes, what it answers."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from lakebed.api.answers import (
    Accepted,
    BatchAccepted,
    BatchStatus,
    ObjectPage,
    OperationPage,
    OperationStatus,
)
from lakebed.api.infrastructure import InfrastructureStatus
from lakebed.api.requests import BatchRequest, NewBucket, PlanRequest, SyncRequest, VerifyRequest
from lakebed.api.storage import (
    BucketCapabilities,
    BucketCreated,
    BucketList,
    StorageUsage,
    StoreList,
)

A_co = TypeVar("A_co", bound=BaseModel, covariant=True)
V1 = "/api/v1"
OPERATION = f"{V1}/operations/{{operation_id}}"


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[A_co]):
    """`path` as in the OpenAPI document; `answer` is None where a stream is answered."""

    method: str
    path: str
    answer: type[A_co] | None = None
    body: type[BaseModel] | None = None
    takes_key: bool = False
    """Whether an idempotency key makes it one that can be sent again."""
    is_repeatable: bool = True
    """Whether sending it again does no more than sending it once."""


SYNC = Endpoint("POST", f"{V1}/sync", Accepted, SyncRequest, takes_key=True)
BATCH = Endpoint("POST", f"{V1}/sync/batch", BatchAccepted, BatchRequest, takes_key=True)
BATCH_STATUS = Endpoint("GET", f"{V1}/sync/batch/{{batch_id}}", BatchStatus)
VERIFY = Endpoint("POST", f"{V1}/verify", Accepted, VerifyRequest, takes_key=True)
PLAN: Endpoint[BaseModel] = Endpoint("POST", f"{V1}/plan", None, PlanRequest)
OPERATIONS = Endpoint("GET", f"{V1}/operations", OperationPage)
STATUS = Endpoint("GET", OPERATION, OperationStatus)
OBJECTS = Endpoint("GET", f"{OPERATION}/objects", ObjectPage)
EVENTS: Endpoint[BaseModel] = Endpoint("GET", f"{OPERATION}/events")
REPORT: Endpoint[BaseModel] = Endpoint("GET", f"{OPERATION}/report")
CANCEL = Endpoint("POST", f"{OPERATION}/cancel", OperationStatus)
RESUME = Endpoint("POST", f"{OPERATION}/resume", OperationStatus, is_repeatable=False)
STORES = Endpoint("GET", f"{V1}/storage/stores", StoreList)
PROBE = Endpoint("POST", f"{V1}/storage/stores/{{store}}/probe", BucketCapabilities)
BUCKETS = Endpoint("GET", f"{V1}/storage/buckets", BucketList)
CREATE_BUCKET = Endpoint("POST", f"{V1}/storage/buckets", BucketCreated, NewBucket)
USAGE = Endpoint("GET", f"{V1}/storage/usage", StorageUsage)
INFRASTRUCTURE = Endpoint("GET", f"{V1}/infrastructure/status", InfrastructureStatus)
