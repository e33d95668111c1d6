"""Stores: the contract, and what fulfils it."""
