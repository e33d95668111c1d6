"""A request as JSON, without loss: what a resume goes on with, in another process, much later."""

from functools import cache

from pydantic import TypeAdapter, ValidationError

from lakebed.errors import LedgerError
from lakebed.model.operation import Request


@cache
def _adapter() -> TypeAdapter[Request]:
    return TypeAdapter(Request)


def dump_request(request: Request) -> str:
    return _adapter().dump_json(request, exclude_defaults=True).decode()


def options_record(request: Request) -> dict[str, object]:
    """Every option, as JSON has it; of a list of keys only how many there are."""
    options: dict[str, object] = _adapter().dump_python(request, mode="json")["options"]
    filters = options["filters"]
    if isinstance(filters, dict) and isinstance(filters.get("keys"), list):
        filters["keys"] = len(filters["keys"])
    return options


def load_request(text: str) -> Request:
    """Fields that an older program did not write take their defaults. Raises LedgerError."""
    try:
        return _adapter().validate_json(text)
    except ValidationError as error:
        raise LedgerError(
            "the ledger holds a request that this Lakebed cannot read",
            subject=", ".join(".".join(map(str, e["loc"])) for e in error.errors()),
            advice="resume it with the version that began it",
        ) from error
