"""Names in a policy as kinds of values, and what sections are called in messages."""

from governor.policy import names
from governor.policy.kinds import Text
from governor.policy.nodes import Mapping, Node, Scalar
from governor.policy.wording import shown

HYPHENATED = "lower-case letters, digits and inner hyphens"


class Title:
    """Names an object by one of its own values, or by its place in the list."""

    def __init__(self, word: str, key: str) -> None:
        self._word, self._key = word, key

    def __call__(self, node: Node, index: int) -> str:
        name = node.get(self._key) if isinstance(node, Mapping) else None
        if isinstance(name, Scalar) and name.text:
            return f"{self._word} {shown(name.text)}"
        return f"{self._word} number {index + 1}"


def lowered(text: str) -> str:
    """The nearest name in lower-case letters, digits and inner hyphens."""
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in text.lower()).split())


def hyphenated(text: str) -> str:
    """The nearest name in letters, digits and inner hyphens."""
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in text).split())


ENTITY_NAME = Text(
    "a name of letters, digits and inner hyphens",
    accepts=names.is_entity_name,
    form="a name of letters, digits and inner hyphens",
    pattern="^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$",
    shape="EntityName",
    mended=hyphenated,
)


def kubernetes_name(longest: int, because: str) -> Text:
    """A name that ends up in one of Kubernetes."""
    return Text(
        f"a name of {HYPHENATED}",
        accepts=names.is_kubernetes_name,
        form=f"a name of {HYPHENATED}",
        pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        longest=longest,
        because=because,
        mended=lowered,
    )
