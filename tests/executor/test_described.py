"""The OpenAPI document: every field is described, every request has a plain name."""

from collections.abc import Iterator
from typing import Any

from lakebed.executor.app import described

DOCUMENT: dict[str, Any] = described().openapi()
OF_FASTAPI = ("HTTPValidationError", "ValidationError")
"""What a request that is not valid is answered with by default; ours are problems."""


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


def test_every_parameter_but_an_id_is_described() -> None:
    assert not [
        f"{name} {parameter['name']}"
        for name, operation in _operations()
        for parameter in operation.get("parameters", ())
        if parameter["in"] != "path" and not parameter.get("description")
    ]


def test_every_request_has_a_plain_name_a_description_and_a_tag() -> None:
    names = [operation["operationId"] for _, operation in _operations()]
    assert len(set(names)) == len(names)
    for name, operation in _operations():
        assert operation["operationId"].replace("_", "").isalpha(), name
        assert operation["description"], name
        assert operation["tags"], name
