"""The cases, one file each, all of one shape; in the order in which they are run and shown."""

from bench.cases import (
    executor_first_byte,
    executor_memory,
    executor_overhead,
    executor_status,
    executor_streams,
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
    executor_overhead,
    executor_status,
    executor_first_byte,
    executor_streams,
    executor_memory,
)
CASES = {module.CASE.name: module.CASE for module in _ALL}
"""Each case by its name."""
