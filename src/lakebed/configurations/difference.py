"""How two contents of a configuration differ."""

from collections.abc import Mapping
from dataclasses import dataclass

from lakebed.configurations.effective import Told


@dataclass(frozen=True, slots=True)
class Change:
    """A key; None where it has no value."""

    key: str
    before: Told
    after: Told


def changes(before: Mapping[str, Told], after: Mapping[str, Told]) -> list[Change]:
    """What makes `after` of `before`, in the order of the keys."""
    return [
        Change(key, before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]
