"""The OpenAPI document: every field is described, every request has a plain name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lakebed.executor.app import described
from tests.executor.admitted import Inside, inside
from tests.operations.conftest import sqlite_template

__all__ = ["sqlite_template"]
DOCUMENT: dict[str, Any] = described().openapi()
OF_FASTAPI = ("HTTPValidationError", "ValidationError")
"""What a request that is not valid is answered with by default; ours are problems."""


@pytest.fixture(scope="module")
def at(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    with inside(sqlite_template, tmp_path_factory.mktemp("described")) as running:
        yield running


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def _undescribed(name: str, value: object) -> Iterator[str]:
    """Each property of a schema, at any depth, that has no description."""
    if isinstance(value, dict):
        properties = value.get("properties", {})
        for field, schema in properties.items() if isinstance(properties, dict) else ():
            if not schema.get("description"):
                yield f"{name}.{field}"
        for key, inner in value.items():
            yield from _undescribed(f"{name}.{key}", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _undescribed(name, inner)


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")


def test_every_field_is_described() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    ours = {name: schema for name, schema in schemas.items() if name not in OF_FASTAPI}
    assert not [*_undescribed("schemas", ours), *_undescribed("paths", DOCUMENT["paths"])]


def test_every_parameter_is_described() -> None:
    assert not [
        f"{name} {parameter['name']}"
        for name, operation in _operations()
        for parameter in operation.get("parameters", ())
        if not parameter.get("description")
    ]


def test_every_request_has_a_plain_name_a_description_and_a_tag() -> None:
    names = [operation["operationId"] for _, operation in _operations()]
    assert len(set(names)) == len(names)
    for name, operation in _operations():
        assert operation["operationId"].replace("_", "").isalpha(), name
        assert operation["description"], name
        assert operation["tags"], name


def test_it_names_how_a_caller_is_known() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert schemes["bearer"]["scheme"] == "bearer"
    assert (schemes["session"]["in"], schemes["session"]["name"]) == ("cookie", "lakebed_session")
    assert DOCUMENT["security"] == [{"bearer": []}, {"session": []}]


@pytest.mark.parametrize(("name", "operation"), list(_operations()))
def test_it_is_open_where_it_says_so_and_nowhere_else(
    at: Inside, name: str, operation: dict[str, Any]
) -> None:
    method, _, path = name.partition(" ")
    answer = at.client.request(method, path, follow_redirects=False)
    is_open = operation.get("security") == []
    told = answer.json().get("detail", "") if answer.status_code == 401 else ""
    assert ("nobody is signed in" in told) != is_open
