"""A folder of this machine as a store: its files are the objects."""
