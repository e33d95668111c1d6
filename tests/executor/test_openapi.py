"""The application keeps to its own OpenAPI document, whatever is asked, with a token or without."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.types import ASGIApp, Receive, Scope, Send

from lakebed.executor import bodies
from lakebed.executor.app import build
from lakebed.executor.service import Service
from tests.executor.inside import settings_in
from tests.fixtures_stores import Served

CREDENTIALS: Sequence[Mapping[str, str]] = ({},)
"""Headers of each kind of caller: every request is made as each of them."""
EXAMPLES = 10
TAKEN = positive_data_acceptance
"""Left out: that what the document allows is taken. No document says which stores there are."""


def still(app: ASGIApp) -> ASGIApp:
    """Its life never begins, so that no crew runs: what is asked for waits in the queue."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for word in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{word}.complete"})

    return asked


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory, served: Served) -> Iterator[BaseSchema]:
    """Its store answers, and 413 is no answer to a body that is wrong in another way."""
    store = {
        "endpoint": served.endpoint,
        "access_key": served.access_key,
        "secret_key": served.secret_key,
    }
    folder = tmp_path_factory.mktemp("openapi")
    service = Service.open(settings_in(folder, stores={"lake": store}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "SIGN_IN", service.settings.executor.body)
        app = build(service)
        told = app.openapi()
        # All are let in here; test_described.py asks where callers are told apart.
        del told["security"], told["components"]["securitySchemes"]
        yield schemathesis.openapi.from_asgi("/openapi.json", still(app))
    service.platform.__exit__(None, None, None)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_finds_a_defect_or_an_answer_that_is_not_documented(
    document: BaseSchema, mode: GenerationMode
) -> None:
    for found in document.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=mode), st.sampled_from(CREDENTIALS))
        def check(case: Case, headers: Mapping[str, str]) -> None:  # type: ignore[type-arg]
            case.call_and_validate(headers=dict(headers), excluded_checks=[TAKEN])

        with suppress(Unsatisfiable):  # without parameters, nothing about it can be wrong
            check()


def test_every_operation_documents_its_problems(tmp_path: Path) -> None:
    service = Service.open(settings_in(tmp_path))
    document = build(service).openapi()
    service.platform.__exit__(None, None, None)
    assert document["openapi"] == "3.1.0"
    paths = document["paths"]
    assert isinstance(paths, dict)
    for path in paths.values():
        for operation in path.values():
            told = operation["responses"]["default"]["content"]
            assert list(told) == ["application/problem+json"]
            assert "422" not in operation["responses"]
