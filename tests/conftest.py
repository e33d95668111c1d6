"""What every test may ask for: real stores, each started by the first test of a worker to ask."""

from tests.fixtures_stores import minio_store, moto_store, seaweedfs_store

__all__ = ["minio_store", "moto_store", "seaweedfs_store"]
