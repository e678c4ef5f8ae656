"""Verifying add-ons on schedule: look, write down, tell what changed, ask the writer to act."""

from governor.verify.verifier import Measures, Verified, Verifier

__all__ = ["Measures", "Verified", "Verifier"]
