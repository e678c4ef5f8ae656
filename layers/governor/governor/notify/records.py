"""What of the records it takes to tell people: the governed cluster, its usage, and what they were told before."""

from typing import Protocol, TypeVar

import msgspec

from governor.errors import AccessError, PermanentError
from governor.records.documents import Document, InForce
from governor.records.names import (
    CLUSTERS,
    cluster_id_of_in_force,
    in_force_key,
    incident_key,
    incidents_prefix,
    usage_key,
)
from governor.records.parallel import side_by_side
from governor.records.store import Documents
from governor.records.usages import Incident, Kind, UsageSeen

D = TypeVar("D", bound=Document)


class Log(Protocol):
    """Where is said what is left out, and what nobody sees otherwise."""

    def info(self, message: str, /, *args: object) -> None:
        """One line."""
        ...

    def warning(self, message: str, /, *args: object) -> None:
        """One line."""
        ...


class Governed(msgspec.Struct, frozen=True):
    """A cluster by its id. Without ``force`` its policy in force cannot be read; ``trouble`` says why."""

    identity: str
    force: InForce | None
    trouble: str = ""


class Records:
    """The documents of usage and incidents. They are made again by themselves: a damaged one is as good as none."""

    def __init__(self, documents: Documents, log: Log) -> None:
        self._documents, self._log = documents, log

    def governed(self, name: str) -> Governed | None:
        """The cluster that metrics call so: by its name, or by its id, which it is called by when its policy in force
        cannot be read. None for none.

        A cluster that was made anew has its name from one that is on its way out: the one that a policy is in force
        for counts, else the one that changed last.
        """
        listed = (cluster_id_of_in_force(each.key) for each in self._documents.objects.listed(CLUSTERS))
        identities = [each for each in listed if each is not None]
        best: InForce | None = None
        found = None
        for identity, kept in side_by_side(identities, self._in_force):
            if isinstance(kept, str):
                if identity == name:
                    return Governed(identity, None, kept)
                continue
            if kept is None or kept.owner is None or name not in (kept.cluster_name, identity):
                continue
            if best is None or _rank(kept) > _rank(best):
                best, found = kept, Governed(identity, kept)
        return found

    def _in_force(self, identity: str) -> InForce | str | None:
        """The policy in force, or why it cannot be read: no reason to tell nothing of the other clusters."""
        try:
            kept = self._documents.load(in_force_key(identity), InForce)
        except AccessError:
            raise
        except PermanentError as error:
            self._log.warning("notify: %s is left out: %s", identity, error)
            return str(error)
        return None if kept is None else kept.document

    def seen(self, identity: str) -> UsageSeen | None:
        """What publish_metrics saw last."""
        return self._loaded(usage_key(identity), UsageSeen)

    def incident(self, identity: str, kind: Kind, team: str) -> Incident | None:
        """The last one."""
        return self._loaded(incident_key(identity, kind, team), Incident)

    def open_incidents(self, identity: str) -> list[Incident]:
        """Those that people think are so, in the order of their names, but that the cluster cannot be read."""
        keys = [each.key for each in self._documents.objects.listed(incidents_prefix(identity))]
        found = (kept for _, kept in side_by_side(keys, lambda key: self._loaded(key, Incident)))
        return [each for each in found if each is not None and each.is_open and each.kind != "CouldNotRead"]

    def write(self, identity: str, incident: Incident) -> None:
        """Unless something later is known by now."""

        def change(there: Incident | None) -> Incident | None:
            return None if there is not None and there.at > incident.at else incident

        key = incident_key(identity, incident.kind, incident.team)
        self._documents.update(key, Incident, change, derived=True)

    def _loaded(self, key: str, kind: type[D]) -> D | None:
        try:
            kept = self._documents.load(key, kind)
        except AccessError:
            raise
        except PermanentError as error:
            self._log.warning("notify: %s counts as missing: %s", key, error)
            return None
        return None if kept is None else kept.document


def _rank(force: InForce) -> tuple[bool, float]:
    return force.state == "InForce", force.changed.timestamp()
