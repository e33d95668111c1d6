"""Configurations that were in force: what each value was and where from, and how they differ."""
