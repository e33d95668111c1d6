"""The executor: the engine as a service over HTTP. It adds no transfer logic of its own."""
