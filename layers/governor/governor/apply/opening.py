"""A policy file together with the cluster that it governs: what planning begins with."""

import msgspec

from governor.apply.ports import Account
from governor.apply.reading import read_instances, types_of
from governor.checks import PolicyFile, placed
from governor.errors import PermanentError
from governor.plan import Desired, Plan, desired_by
from governor.policy import Diagnostic, Limits, Parsed
from governor.policy.names import in_another_region
from governor.quota import Catalogue, Cluster, bundled_instances


class Unfit(msgspec.Struct, frozen=True):
    """A file with errors: nothing was called but, for an instance type that only the cluster may know, the cluster."""

    diagnostics: tuple[Diagnostic, ...]


class Opened(msgspec.Struct, frozen=True):
    """A good file, and the cluster that it governs."""

    parsed: Parsed
    desired: Desired
    cluster: Cluster
    instances: Catalogue

    @property
    def addon(self) -> str:
        """The version of the add-on that the file asks for: "default", an explicit one, or "" without a block."""
        declared = self.parsed.policy.addon if self.parsed.policy else None
        return declared.version if declared else ""

    def diagnostics(self, made: Plan | None = None) -> tuple[Diagnostic, ...]:
        """Messages of the file, and of the plan at their places in the file."""
        items = [*self.parsed.diagnostics, *(self.planned(made) if made is not None else ())]
        return tuple(sorted(items, key=lambda item: (item.line, item.column)))

    def planned(self, made: Plan) -> list[Diagnostic]:
        """Messages of a plan at their places in the file."""
        return placed(self.parsed, made.findings)


def open_policy(file: PolicyFile, limits: Limits, account: Account, cluster_arn: str = "") -> Opened | Unfit:
    """Read a file; if all it lacks is an instance type, ask the cluster before refusing it.

    ``cluster_arn`` is the cluster that the file is known to govern; left out, it is the one that the file names.
    Raises NotFoundError when it does not exist, PermanentError when it is in another Region.
    """
    parsed = file.parse(limits)
    if any(item.severity == "error" and item.code != "unknown-instance-type" for item in parsed.diagnostics):
        return Unfit(parsed.diagnostics)
    name = cluster_arn or parsed.text("cluster")
    if elsewhere := in_another_region(name, account.region):
        raise PermanentError(f"{file.path}: {elsewhere}")
    cluster = account.governance.clusters.describe(name)
    present = frozenset(group.instance_type for group in cluster.groups)
    if parsed.policy is None:
        parsed = file.parse(limits, present)
    if parsed.policy is None:
        return Unfit(parsed.diagnostics)
    desired = desired_by(parsed.policy)
    instances = read_instances(types_of(desired, cluster), account.instance_types)
    if instances is not bundled_instances():  # EC2 knew more: accelerators and borrow limits can be checked now
        parsed = file.parse(limits, present, instances)
        if parsed.policy is None:
            return Unfit(parsed.diagnostics)
    return Opened(parsed, desired, cluster, instances)
