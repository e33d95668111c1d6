"""Settings in variables: `LAKEBED_STORES__LAKE__ENDPOINT` is `endpoint` of `[stores.lake]`."""

from collections.abc import Iterable, Mapping, Sequence

from lakebed.settings.merge import Table

PREFIX = "LAKEBED_"
SEPARATOR = "__"
_AMAZONS = {
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "endpoint": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    "ca": ("AWS_CA_BUNDLE",),
}


def overlay(file: Mapping[str, object], environ: Mapping[str, str], fields: Iterable[str]) -> Table:
    """`file` with what the environment says on top.

    Only variables whose first word is one of `fields` are settings. A store is found whatever the
    case of its name, with `_` for `-` and `.`; an unknown one is new, in lower case.
    """
    merged: Table = dict(file)
    known = set(fields)
    for variable in sorted(environ):
        path = path_of(variable)
        if path and path[0] in known:
            _set(merged, path, environ[variable])
    return _with_aws(merged, environ)


def path_of(variable: str) -> list[str]:
    """The words of a variable in lower case; none where it is not one of ours."""
    name = variable.upper()
    return name.removeprefix(PREFIX).lower().split(SEPARATOR) if name.startswith(PREFIX) else []


def variable_of(path: Iterable[str | int], environ: Mapping[str, str]) -> str | None:
    """The variable that set the value at `path`, where one did."""
    words = [_plain(str(part)) for part in path]
    for variable in sorted(environ):
        found = [_plain(word) for word in path_of(variable)]
        if found and found == words[: len(found)]:
            return variable
    return None


def amazons_variable_of(path: Sequence[str | int], environ: Mapping[str, str]) -> str | None:
    """The variable of the AWS tools that speaks for `path`, where nothing of ours does."""
    if tuple(path[:2]) != ("stores", "aws") or len(path) != 3:
        return None
    named = _AMAZONS.get(str(path[2]), ())
    return next((variable for variable in named if environ.get(variable)), None)


def _set(table: Table, path: list[str], value: str) -> None:
    *folders, field = path
    for depth, word in enumerate(folders):
        name = _existing(table, word) if depth == 1 else word
        inner = table.get(name)
        table[name] = table = dict(inner) if isinstance(inner, dict) else {}
    table[field] = value


def _existing(stores: Table, word: str) -> str:
    return next((name for name in stores if _plain(name) == _plain(word)), word)


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _with_aws(table: Table, environ: Mapping[str, str]) -> Table:
    """What AWS's own variables say about region and endpoint, beneath `[stores.aws]`."""
    found = {field: amazons_variable_of(("stores", "aws", field), environ) for field in _AMAZONS}
    given = {field: environ[variable] for field, variable in found.items() if variable}
    stores = table.get("stores", {})
    if not given or not isinstance(stores, dict) or not isinstance(stores.get("aws", {}), dict):
        return table
    return {**table, "stores": {**stores, "aws": {**given, **stores.get("aws", {})}}}
