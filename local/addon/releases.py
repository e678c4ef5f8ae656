"""The Kueue in a version of the add-on, and the API versions that its custom resource definitions have.

From the table of the user guide's set-up page and from Kueue's own definitions at those tags. v1.2.2 stands between two
versions with 0.12.0, and a version that a test makes up gets the Kueue of its line, or the newest.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Kueue:
    """`apis` are served, and the last of them is what objects are stored in; `alpha` resources have v1alpha1 alone."""

    version: str
    apis: tuple[str, ...]
    alpha: frozenset[str] = frozenset()

    def apis_of(self, plural: str) -> tuple[str, ...]:
        """The API versions of a resource, the stored one last."""
        return ("v1alpha1",) if plural in self.alpha else self.apis


_OLD = Kueue("0.12.0", ("v1beta1",), alpha=frozenset({"cohorts", "topologies"}))
_NEWEST = Kueue("0.19.2", ("v1beta1", "v1beta2"))
_LINES: Mapping[str, Kueue] = MappingProxyType(
    {
        "1.1": _OLD,
        "1.2": _OLD,
        "1.3": _OLD,
        "1.4": Kueue("0.14.0", ("v1beta1",)),
        "1.5": Kueue("0.18.0", ("v1beta1", "v1beta2")),
        "1.6": _NEWEST,
    }
)


def kueue_of(addon_version: str) -> Kueue:
    """The Kueue in a version such as `v1.6.1-eksbuild.1`."""
    found = re.match(r"v(\d+\.\d+)\.", addon_version)
    return _LINES.get(found[1], _NEWEST) if found else _NEWEST


def crashes(addon_version: str, kubernetes: str) -> bool:
    """The controller of v1.6.0 restarts for ever on Kubernetes 1.33 (user guide, "Upgrade")."""
    return addon_version.startswith("v1.6.0-") and kubernetes == "1.33"
