"""Programs of their own, run as rivals are run."""
