"""How a test has the add-ons of the local EKS be in any state, fail, wait, or be offered in other versions."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

Issues = Iterable[Mapping[str, Any]]


class AddonControls(ABC):
    """Clusters are named as in EKS. `addon` is that of task governance unless it is said otherwise."""

    @abstractmethod
    def admin(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Call the runner's admin endpoint. Raises ValueError with its message when it refuses."""

    def addon_state(
        self,
        cluster: str,
        *,
        status: str | None = None,
        issues: Issues | None = None,
        version: str | None = None,
        addon: str | None = None,
    ) -> dict[str, Any]:
        """Put an add-on that is there into a state, as DescribeAddon will tell it; Kubernetes is left as it is.

        `issues` are as in AWS's answers: `[{"code": "AccessDenied", "message": "…", "resourceIds": []}]`.
        """
        body = {"status": status, "issues": None if issues is None else list(issues), "version": version}
        described: dict[str, Any] = self._addons("state", cluster, addon, **body)["addon"]
        return described

    def cluster_state(self, cluster: str, *, status: str | None = None, version: str | None = None) -> None:
        """What DescribeCluster tells from now on: `aws.cluster_state("c", status="DELETING")`."""
        self.admin("POST", "eks/clusters/state", {"cluster": cluster, "status": status, "version": version})

    def addon_next(
        self, cluster: str, operation: str, status: str, issues: Issues = (), addon: str | None = None
    ) -> None:
        """How the next `create`, `update` or `delete` ends: `aws.addon_next("c", "update", "UPDATE_FAILED", […])`."""
        self._addons("next", cluster, addon, operation=operation, status=status, issues=list(issues))

    def addon_hold(self, cluster: str, addon: str | None = None) -> None:
        """From now on, what is on its way for the add-on waits for `addon_release` instead of ending."""
        self._addons("hold", cluster, addon)

    def addon_release(self, cluster: str, addon: str | None = None) -> None:
        self._addons("release", cluster, addon)

    def addon_controller(self, cluster: str, *, available: bool = True, webhook: bool = True) -> None:
        """Have Kueue's controller available or not in Kubernetes, and its webhook's endpoint ready or not."""
        self._addons("controller", cluster, None, available=available, webhook=webhook)

    def addon_catalogue(self, *, addon: str | None = None, **change: Any) -> None:
        """`offer="v1.7.0-eksbuild.1", kubernetes=["1.34"]`, `withdraw="v1.4.0-eksbuild.1"`, `default="v1.5.0-…"`."""
        self.admin("POST", "eks/catalogue", {"addon": addon, **change})

    def _addons(self, what: str, cluster: str, addon: str | None, **details: Any) -> dict[str, Any]:
        return self.admin("POST", f"eks/addons/{what}", {"cluster": cluster, "addon": addon, **details})
