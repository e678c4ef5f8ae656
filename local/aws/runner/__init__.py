"""What runs in MiniStack's own interpreter: the standard library, MiniStack, and nothing of the product."""
