"""The benchmark: Lakebed beside its rivals, whole processes, counted at the stores.

`make bench` runs it; docs/benchmarks.md has the results and says how to repeat them.
"""
