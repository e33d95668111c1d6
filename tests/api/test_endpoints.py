"""The client and the OpenAPI document of the executor say the same."""

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from lakebed.api import endpoints
from lakebed.api.client import Client
from lakebed.api.endpoints import Endpoint
from lakebed.api.requests import BatchRequest, NewBucket, PlanRequest, SyncRequest, VerifyRequest
from lakebed.errors import LakebedError
from lakebed.executor.app import described
from lakebed.model.operation import Kind, ObjectState, OperationState
from lakebed.report.formats import Format
from tests.api.scripted import Scripted, problem

DOCUMENT: dict[str, Any] = described().openapi()
ENDPOINTS = [one for one in vars(endpoints).values() if isinstance(one, Endpoint)]
SPOKEN = {"operations", "storage", "infrastructure"}
"""The tags of what the client has a method for; the rest is for browsers and operators."""
NO_METHOD = {"/api/v1/infrastructure/components/{name}"}
"""Of what the client tells by another method."""
SYNC = SyncRequest(source="a:b/", destination="c:d/")
Call = Callable[[Client], Awaitable[object] | AsyncIterator[object]]
CALLS: dict[str, tuple[Endpoint[Any], Call]] = {
    "sync": (endpoints.SYNC, lambda client: client.sync(SYNC)),
    "sync_batch": (
        endpoints.BATCH,
        lambda client: client.sync_batch(BatchRequest(requests=(SYNC,))),
    ),
    "verify": (
        endpoints.VERIFY,
        lambda client: client.verify(VerifyRequest(source="a:b/", destination="c:d/")),
    ),
    "plan": (
        endpoints.PLAN,
        lambda client: client.plan(PlanRequest(source="a:b/", destination="c:d/")),
    ),
    "operations": (
        endpoints.OPERATIONS,
        lambda client: client.operations(
            state=OperationState.RUNNING, kind=Kind.SYNC, batch="b", mine=True
        ),
    ),
    "operation": (endpoints.STATUS, lambda client: client.operation("1M7")),
    "batch": (endpoints.BATCH_STATUS, lambda client: client.batch("b")),
    "objects": (
        endpoints.OBJECTS,
        lambda client: client.objects("1M7", state=ObjectState.FAILED),
    ),
    "events": (endpoints.EVENTS, lambda client: client.events("1M7", after=3)),
    "report": (endpoints.REPORT, lambda client: client.report("1M7", Format.HTML)),
    "cancel": (endpoints.CANCEL, lambda client: client.cancel("1M7")),
    "resume": (endpoints.RESUME, lambda client: client.resume("1M7")),
    "stores": (endpoints.STORES, lambda client: client.stores()),
    "probe": (endpoints.PROBE, lambda client: client.probe("lake", "bronze")),
    "buckets": (endpoints.BUCKETS, lambda client: client.buckets("lake")),
    "create_bucket": (
        endpoints.CREATE_BUCKET,
        lambda client: client.create_bucket(NewBucket(store="lake", bucket="bronze")),
    ),
    "usage": (
        endpoints.USAGE,
        lambda client: client.usage("bronze", store="lake", prefix="daily/"),
    ),
    "status": (endpoints.INFRASTRUCTURE, lambda client: client.status()),
}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: f"{one.method} {one.path}")
def test_an_endpoint_takes_and_answers_what_the_document_says(endpoint: Endpoint[Any]) -> None:
    described = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
    assert _schema(described.get("requestBody")) == _name(endpoint.body)
    (answer,) = [one for status, one in described["responses"].items() if status < "300"]
    assert _schema(answer) == _name(endpoint.answer)
    headers = {one["name"] for one in described.get("parameters", ()) if one["in"] == "header"}
    assert ("Idempotency-Key" in headers) == endpoint.takes_key


def test_each_request_of_the_document_has_its_endpoint() -> None:
    documented = {
        (method.upper(), path)
        for path, methods in DOCUMENT["paths"].items()
        for method, described in methods.items()
        if SPOKEN & set(described["tags"]) and path not in NO_METHOD
    }
    assert documented <= {(one.method, one.path) for one in ENDPOINTS}


def test_each_endpoint_has_its_method_and_each_method_its_endpoint() -> None:
    public = {
        name
        for name, one in vars(Client).items()
        if inspect.isfunction(one) and not name.startswith("_")
    }
    assert public - {"close"} == CALLS.keys()
    assert {id(endpoint) for endpoint, _ in CALLS.values()} == {id(one) for one in ENDPOINTS}


@pytest.mark.parametrize("name", CALLS)
def test_a_method_asks_what_the_document_describes(name: str) -> None:
    endpoint, call = CALLS[name]
    script = Scripted([problem(409, "operation")])
    with pytest.raises(LakebedError):
        asyncio.run(_called(script.client(), call))
    (request,) = script.requests
    pattern = re.sub(r"\{[a-z_]+\}", "[^/]+", endpoint.path)
    assert (request.method, bool(re.fullmatch(pattern, request.url.path))) == (
        endpoint.method,
        True,
    )
    if endpoint.body is not None:
        endpoint.body.model_validate_json(request.content)
    described = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
    parameters = [one for one in described.get("parameters", ()) if one["in"] == "query"]
    assert set(request.url.params) <= {one["name"] for one in parameters}
    assert {one["name"] for one in parameters if one["required"]} <= set(request.url.params)


async def _called(client: Client, call: Call) -> None:
    async with client:
        asked = call(client)
        if isinstance(asked, AsyncIterator):
            await anext(asked)
        else:
            await asked


def _schema(described: dict[str, Any] | None) -> str | None:
    """The name of the model that is sent, or answered, as JSON."""
    content = (described or {}).get("content", {}).get("application/json", {})
    reference = content.get("schema", {}).get("$ref")
    return reference.rpartition("/")[2] if reference else None


def _name(model: type | None) -> str | None:
    return model.__name__ if model else None
