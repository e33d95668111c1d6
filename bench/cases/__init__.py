"""The cases, one file each, all of one shape; in the order in which they are run and shown."""

from bench.cases import (
    huge,
    large,
    limited_source,
    mixed,
    nothing_10k,
    nothing_200k,
    same_endpoint,
    slow_source,
    small_pairs,
    small_whole,
    ten_million,
)

_ALL = (
    small_pairs,
    small_whole,
    large,
    huge,
    slow_source,
    limited_source,
    same_endpoint,
    nothing_10k,
    nothing_200k,
    ten_million,
    mixed,
)
CASES = {module.CASE.name: module.CASE for module in _ALL}
"""Each case by its name."""
