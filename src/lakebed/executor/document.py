"""The OpenAPI document: each operation names the one shape of its errors."""

from fastapi import FastAPI

from lakebed.api.answers import Problem
from lakebed.executor.problems import MEDIA_TYPE

Document = dict[str, object]
_REF = "#/components/schemas/{model}"
_SHAPE = {"schema": {"$ref": _REF.format(model=Problem.__name__)}}
PROBLEMS = {
    "description": "A problem: what went wrong, and what to change.",
    "content": {MEDIA_TYPE: _SHAPE},
}
_OTHERS = ("HTTPValidationError", "ValidationError")
"""FastAPI's own shape of an error, which is never sent."""


class DocumentedApi(FastAPI):
    """Any answer that an operation does not name is a problem."""

    def openapi(self) -> Document:
        if self.openapi_schema is None:
            document = super().openapi()
            for path in document["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
                    operation["responses"]["default"] = PROBLEMS
            shapes = document.setdefault("components", {}).setdefault("schemas", {})
            for name in _OTHERS:
                shapes.pop(name, None)
            shapes[Problem.__name__] = Problem.model_json_schema(ref_template=_REF)
        assert self.openapi_schema is not None
        return self.openapi_schema
