"""The task governance add-on: what was seen of it, what stands in its way, whether it is ready. Pure."""
