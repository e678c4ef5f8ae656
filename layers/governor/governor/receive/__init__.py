"""Receiving policy files: a verdict for each, the good one in force, and nothing lost."""

from governor.receive.receiver import Hint, Receiver, Rules
from governor.receive.resync import Resync, Resynced

__all__ = ["Hint", "Receiver", "Resync", "Resynced", "Rules"]
