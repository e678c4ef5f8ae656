"""Stands for the product's layer."""

GREETING = "from the layer"
