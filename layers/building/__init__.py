"""Builds the layers: for one runtime and architecture, without Docker, with a record of what was built."""
