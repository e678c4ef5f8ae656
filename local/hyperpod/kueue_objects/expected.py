"""An object that should be there, why, and which of its members nobody can be sure of."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Manifest = Mapping[str, Any]
ObjectKey = tuple[str, str, str]
"""Kind, namespace and name."""


@dataclass(frozen=True, slots=True)
class Expected:
    """`origin` is the id of the compute quota or the cluster policy that it is of, "" where several share it.

    `assumed` are paths of members: `spec.cohortName`, `spec.resourceGroups[].flavors[].resources[cpu].nominalQuota`.
    Brackets name an element of a list by its name, empty ones mean every element.
    """

    manifest: Manifest
    origin: str = ""
    assumed: tuple[str, ...] = ()

    @property
    def key(self) -> ObjectKey:
        metadata = self.manifest["metadata"]
        return self.manifest["kind"], metadata.get("namespace", ""), metadata["name"]

    def assumes(self, path: str) -> bool:
        """Whether the member at this path, or one that holds it, is assumed."""
        return any(_pattern(each).fullmatch(path) for each in self.assumed)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.escape(path).replace(r"\[\]", r"\[[^\]]*\]") + r"([.\[].*)?")
