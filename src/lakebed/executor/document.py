"""The OpenAPI document: each operation names the one shape of its errors, and who may ask."""

from fastapi import FastAPI

from lakebed.api.answers import Problem
from lakebed.executor.callers import COOKIE, CSRF
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
SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a start, an API key, or a token of the issuer.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": f"Of who is signed in at a browser; a write shows {CSRF} too.",
    },
}
OPEN = ("health", "ready", "sign_in", "begin", "end")
"""Operations that nobody needs to be known for."""
_IN_PATHS = {
    "operation_id": "The id of an operation, or how it begins.",
    "batch_id": "The id of a batch.",
    "store": "The name of a configured store.",
    "name": "The name of a component, as the status has it.",
}


class DocumentedApi(FastAPI):
    """Any answer that an operation does not name is a problem; any that is not open takes a known
    caller."""

    def openapi(self) -> Document:
        if self.openapi_schema is None:
            document = super().openapi()
            for path in document["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
                    operation["responses"]["default"] = PROBLEMS
                    if operation["operationId"] in OPEN:
                        operation["security"] = []
                    for parameter in operation.get("parameters", ()):
                        if parameter["in"] == "path":
                            parameter["description"] = _IN_PATHS[parameter["name"]]
            document["security"] = [{name: []} for name in SCHEMES]
            components = document.setdefault("components", {})
            components["securitySchemes"] = SCHEMES
            shapes = components.setdefault("schemas", {})
            for name in _OTHERS:
                shapes.pop(name, None)
            shapes[Problem.__name__] = Problem.model_json_schema(ref_template=_REF)
        assert self.openapi_schema is not None
        return self.openapi_schema
