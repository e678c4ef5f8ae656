"""A plan is data: steps with before and after, what they wait for, and why they may not be walked yet."""

import hashlib
from typing import Literal

import msgspec

from governor.plan.compare import ClusterPolicyRequest, QuotaRequest
from governor.plan.words import Change
from governor.policy import Finding
from governor.quota import Amounts, Dimension

Action = Literal["create", "update", "delete", "wait"]
Resource = Literal["cluster policy", "compute quota"]


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One write, or one wait, and how to word it.

    ``needs`` are the keys of steps that must have succeeded before. ``settle_first`` is the status of a
    transition that is under way and must end before anything can be decided; the plan is then made anew.
    ``recreates`` is the id of the failed resource that a creation replaces. ``unsure`` is true when nobody knows
    what the resource has, because its last update failed: its amounts are not to be given to others yet.
    ``held`` says why somebody has to approve this step. ``drifted`` is true when the live resource is not
    what the last applied policy made of it: somebody else changed it. ``amounts_before`` and ``amounts_after`` are what
    the quota guarantees before and after the step.
    """

    key: str
    action: Action
    resource: Resource
    name: str
    team: str = ""
    id: str = ""
    version: int = 0
    request: QuotaRequest | ClusterPolicyRequest | None = None
    changes: tuple[Change, ...] = ()
    reason: str = ""
    needs: tuple[str, ...] = ()
    settle_first: str = ""
    held: str = ""
    recreates: str = ""
    unsure: bool = False
    drifted: bool = False
    amounts_before: Amounts = {}
    amounts_after: Amounts = {}

    @property
    def target(self) -> str:
        """The resource as an approval names it."""
        return f"{self.resource}/{self.name}/{self.id}@{self.version}"

    @property
    def title(self) -> str:
        """E.g. "team vision" or "cluster policy"."""
        return f"team {self.team}" if self.team else self.resource


class Blocked(msgspec.Struct, frozen=True):
    """A resource that cannot be brought to what the policy says without somebody's help."""

    title: str
    reason: str


class Unmanaged(msgspec.Struct, frozen=True):
    """A resource of the cluster that the policy does not declare and does not own."""

    resource: Resource
    name: str
    team: str
    status: str


class Plan(msgspec.Struct, frozen=True):
    """Ordered steps. ``refusals`` are errors: with any, nothing of the plan may be carried out.

    ``excess`` is what would be promised beyond the cluster, as exact numbers in text.
    """

    cluster_arn: str
    cluster_name: str
    digest: str
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    unmanaged: tuple[Unmanaged, ...] = ()
    adopted: tuple[str, ...] = ()
    unchanged: int = 0
    removed_teams: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    world: str = ""
    excess: tuple[tuple[Dimension, str], ...] = ()

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """Findings that forbid the plan."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def writes(self) -> tuple[Step, ...]:
        """Steps that call the service to change something."""
        return tuple(step for step in self.steps if step.action != "wait")

    @property
    def held_targets(self) -> tuple[str, ...]:
        """What an approval of this plan approves."""
        return tuple(sorted(step.target for step in self.steps if step.held))

    @property
    def fingerprint(self) -> str:
        """Names exactly this plan in exactly this world: another policy or a changed cluster gives another."""
        content = msgspec.json.encode(
            [self.cluster_arn, self.digest, self.world, [_identity(step) for step in self.steps]], order="sorted"
        )
        return hashlib.sha256(content).hexdigest()[:12]


def _identity(step: Step) -> tuple[object, ...]:
    return (step.key, step.action, step.resource, step.name, step.id, step.version, step.request, step.changes)
