"""Several tables as one: what a later one says comes on top of what the earlier ones said."""

from collections.abc import Mapping

Table = dict[str, object]


def merged(lower: Mapping[str, object], upper: Mapping[str, object]) -> Table:
    """Tables are merged key by key, however deep; anything else, a list too, is replaced."""
    result = dict(lower)
    for key, value in upper.items():
        below = result.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result
