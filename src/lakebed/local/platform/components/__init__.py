"""The components of the platform, one file each, of one shape."""
