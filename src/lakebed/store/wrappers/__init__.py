"""Policies around the contract, one a file, stacked by `store.build`."""
