"""Publishing usage on schedule: read, judge, write down, publish."""

from governor.publish.declared import Declarations, Declared
from governor.publish.publisher import Published, Publisher

__all__ = ["Declarations", "Declared", "Published", "Publisher"]
