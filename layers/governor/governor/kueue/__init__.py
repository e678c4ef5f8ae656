"""Kueue's objects, its quantities, and a model of its admission."""
