"""Kueue in a local cluster: what the API server and Kueue's webhooks say of its objects, and its controller."""
