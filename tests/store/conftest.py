"""The stores that run for the conformance suite, each started by the first test that asks."""

from tests.fixtures_stores import minio_store, moto_store, seaweedfs_store

__all__ = ["minio_store", "moto_store", "seaweedfs_store"]
