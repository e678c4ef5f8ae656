"""What the planner has found so far."""

from collections.abc import Iterable

from governor.plan.plan import Blocked, Step
from governor.plan.record import Ownership, Record
from governor.plan.state import Live, LiveClusterPolicy, Quota
from governor.policy import Finding
from governor.quota import Amounts, QuotaEntry, amounts_of, total


class Draft:
    """What the planner has found so far."""

    def __init__(self, live: Live, record: Record, digest: str) -> None:
        self.live, self.record, self.digest = live, record, digest
        self.ownership = Ownership(record)
        self.steps: list[Step] = []
        self.findings: list[Finding] = []
        self.blocked: list[Blocked] = []
        self.adopted: list[str] = []
        self.unchanged = 0
        self.deleted: set[str] = set()

    def amounts(self, entries: Iterable[QuotaEntry]) -> Amounts:
        instances = self.live.instances
        return total(amounts_of(entry, instances.get(entry.instance_type)) for entry in entries)

    @property
    def can_tell_drift(self) -> bool:
        """False after a run that did not end: what differs from the last applied policy may be its own work."""
        return self.record.begun is None

    def may_recreate(self, title: str, resource: Quota | LiveClusterPolicy) -> bool:
        """Once per version of the policy; after that a person has to look."""
        digest, _, failed_id = self.record.recreated.get(resource.name, "").partition(" ")
        if digest != self.digest or failed_id == resource.id:
            return True  # not tried, or not got as far as deleting it
        self.blocked.append(
            Blocked(
                title,
                f"'{resource.name}' is {resource.status} again after being deleted and created anew for this version "
                f"of the policy: {resource.failure_reason or 'the service gives no reason'}; "
                "remove the cause and change the policy file, or delete it by hand",
            )
        )
        return False
