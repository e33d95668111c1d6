"""How what a replica has is shared by the operations that run in it."""

from collections.abc import Mapping


def shares(total: int, asked: Mapping[str, int]) -> dict[str, int]:
    """What each gets of `total`, by its name: what it asked for, or as much as any other that
    does not get all it asked for. At least 1."""
    left, found = total, dict[str, int]()
    for place, (name, wanted) in enumerate(sorted(asked.items(), key=lambda one: one[1])):
        found[name] = max(1, min(wanted, left // (len(asked) - place)))
        left -= found[name]
    return found
