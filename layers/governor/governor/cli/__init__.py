"""The ``governor`` command: for a person at a terminal and for CI."""
