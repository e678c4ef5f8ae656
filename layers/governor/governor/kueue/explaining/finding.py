"""Which workload somebody means: by the name of its job, with its kind or namespace, or by its own name."""

from dataclasses import dataclass

from governor.kueue.explaining.seen import TEAMS, Brief


@dataclass(frozen=True, slots=True)
class Wanted:
    """``text`` is what was typed: NAME, KIND/NAME, NAMESPACE/NAME or TEAM/NAME. ``namespace`` "" is any."""

    text: str
    namespace: str = ""

    @property
    def name(self) -> str:
        """Without what stands before it."""
        return self.text.rpartition("/")[2]

    @property
    def before(self) -> str:
        """The kind, the namespace or the team; "" for none."""
        return self.text.rpartition("/")[0]

    def means(self, other: Brief) -> bool:
        """Whether this is one that is meant."""
        if self.namespace and other.namespace != self.namespace:
            return False
        if self.name not in (other.job, other.name):
            return False
        before = self.before
        if not before or before in (other.namespace, other.namespace.removeprefix(TEAMS)):
            return True
        kind = before.lower().partition(".")[0]
        of_job = other.job == self.name and kind in (other.kind.lower(), f"{other.kind.lower()}s")
        return of_job or (other.name == self.name and kind in ("workload", "workloads", "wl"))
