"""Lakebed moves archives from any S3 endpoint to any other, proves every object, remembers it."""

__version__ = "0.1.0"
