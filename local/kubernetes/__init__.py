"""The local Kubernetes API: clusters of objects on loopback, over TLS, with the answers of a real API server."""
