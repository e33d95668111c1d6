"""What is said over the wire: the models of requests and answers, and the typed client."""
