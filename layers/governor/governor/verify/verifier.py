"""The pass over the add-ons of all governed clusters: reads, writes down what it saw, and changes nothing itself."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from governor.addon.checks import standing_in_the_way
from governor.addon.intent import Wanted, asked_for, target_of
from governor.addon.issues import MOVING
from governor.addon.looking import Looker
from governor.addon.preflight import preflight
from governor.addon.report import Report, report_of
from governor.addon.seen import Seen, Unknown
from governor.checks import PolicyFile
from governor.errors import GovernorError
from governor.policy import Limits
from governor.records.addons import last_change, was_tried
from governor.records.announcing import AddonNews, addon_news
from governor.records.documents import AddonSeen, InForce, Run
from governor.records.names import (
    CLUSTERS,
    addon_key,
    cluster_id,
    cluster_id_of_in_force,
    in_force_key,
    run_key,
)
from governor.records.parallel import side_by_side
from governor.records.queue import Queue, look_at_addon
from governor.records.store import Documents

LOOK_SECONDS = 60.0
"""After which nothing more is asked of a cluster within one look; what is asked by then has limits of its own."""


CLOCKS_APART = timedelta(minutes=5)
"""A document from further ahead was written by a clock that was wrong."""


class Log(Protocol):
    """Where what went wrong with one cluster is said, so that the others get their turn."""

    def warning(self, message: str, /, *args: object) -> None:
        """One line."""
        ...

    def exception(self, message: str, /, *args: object) -> None:
        """With where it happened."""
        ...


class Measures(Protocol):
    """Where figures go."""

    def addon(self, report: Report) -> None:
        """Of one cluster."""
        ...

    def addons(self, unhealthy: int, unseen: int) -> None:
        """Of all: how many are not healthy, and at how many nobody could look."""
        ...


class News(Protocol):
    """Where changes of state are told."""

    def announce_addon(self, news: AddonNews) -> None:
        """One event."""
        ...


class Verified(msgspec.Struct, frozen=True):
    """What a pass did, by the clusters' names. ``failed`` are those whose records could not be read or written."""

    clusters: int
    unhealthy: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class _Looked(msgspec.Struct, frozen=True):
    report: Report
    changed: bool
    asked: bool
    lasting: bool
    governed: bool

    @property
    def is_unhealthy(self) -> bool:
        """An installation or an update that is under way is no reason to wake somebody, unless it does not end; nor is
        an add-on that is gone while its cluster is given up."""
        return self.governed and self.report.healthy is False and (self.lasting or self.report.status not in MOVING)


class Verifier:
    """``time_left`` tells the seconds that the pass may still take."""

    def __init__(
        self,
        documents: Documents,
        looker: Looker,
        news: News,
        queue: Queue,
        measures: Measures,
        limits: Callable[[], Limits],
        log: Log,
        now: Callable[[], datetime],
        time_left: Callable[[], float],
        *,
        may_change: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._documents, self._looker, self._news, self._queue = documents, looker, news, queue
        self._measures, self._limits, self._log = measures, limits, log
        self._now, self._time_left, self._may_change = now, time_left, may_change
        self._clock = clock

    def run(self) -> Verified:
        """One pass. A cluster that could not be handled counts as one that nobody could look at."""
        found = [(identity, looked) for identity, looked in side_by_side(self._governed(), self._verify) if looked]
        done = [looked for _, looked in found if isinstance(looked, _Looked)]
        failed = tuple(identity for identity, looked in found if looked is _FAILED)
        reports = [each.report for each in done]
        unhealthy = tuple(each.report.cluster for each in done if each.is_unhealthy)
        unseen = tuple(report.cluster for report in reports if report.healthy is None)
        self._measures.addons(len(unhealthy), len(unseen) + len(failed))
        return Verified(
            clusters=len(found),
            unhealthy=unhealthy,
            unseen=unseen,
            changed=tuple(each.report.cluster for each in done if each.changed),
            asked=tuple(each.report.cluster for each in done if each.asked),
            failed=failed,
        )

    def _governed(self) -> Iterator[str]:
        for listed in self._documents.objects.listed(CLUSTERS):
            identity = cluster_id_of_in_force(listed.key)
            if identity is not None:
                yield identity

    def _verify(self, identity: str) -> "_Looked | str | None":
        """One cluster; what goes wrong with it is no reason to leave the others."""
        try:
            kept = self._documents.load(in_force_key(identity), InForce)
            if kept is None or kept.document.state == "Released":
                return None
            if self._time_left() <= 0:
                self._log.warning("verify: %s: no time left", kept.document.cluster_name)
                return _FAILED
            return self._look(kept.document)
        except GovernorError as error:
            self._log.warning("verify: %s: %s", identity, error)
        except Exception:  # noqa: BLE001 - the others get their turn
            self._log.exception("verify: %s: an error of this program", identity)
        return _FAILED

    def _look(self, force: InForce) -> _Looked:
        version = self._declared(force)
        ends = self._clock() + LOOK_SECONDS
        seen = self._looker.look(force.cluster_arn, lambda: ends - self._clock())
        report = report_of(seen, version, force.cluster_name)
        report = msgspec.structs.replace(report, cluster=force.cluster_name, cluster_arn=force.cluster_arn)
        changed, lasting = self._write_down(report)
        self._measures.addon(report)
        asked = self._should_act(force, seen, Wanted(version, self._may_change)) or self._should_tell(
            force, seen, report
        )
        if asked:
            look_at_addon(self._queue, force, self._now())
        return _Looked(report, changed, asked, lasting, force.state != "Releasing")

    def _declared(self, force: InForce) -> str:
        """The version that the policy in force names, though the file as a whole may not be readable any more."""
        return PolicyFile(force.origin.key, force.text.encode()).parse(self._limits()).text("addon", "version")

    def _should_act(self, force: InForce, seen: Seen, wanted: Wanted) -> bool:
        """True where the writer would do something: it looks again before it does."""
        if not wanted.may_change or force.state != "InForce" or isinstance(seen.addon, Unknown):
            return False
        intent = asked_for(seen.addon, wanted.version)
        version = target_of(wanted.version, seen)
        if intent == "nothing" or standing_in_the_way(preflight(seen, version)):
            return False
        last = last_change(self._documents, force.cluster_arn)
        return self._is_readable(force) and not was_tried(last, intent, force.origin, version)

    def _should_tell(self, force: InForce, seen: Seen, report: Report) -> bool:
        """True where the last run ended with warnings and all is well now: only another run can say so."""
        if force.state != "InForce" or not report.healthy or isinstance(seen.addon, Unknown):
            return False
        if asked_for(seen.addon, report.wanted) != "nothing":
            return False
        kept = self._documents.load(run_key(cluster_id(force.cluster_arn)), Run)
        return kept is not None and kept.document.settled and bool(kept.document.warnings) and self._is_readable(force)

    def _is_readable(self, force: InForce) -> bool:
        """False for a policy that this release refuses: a run would come to nothing else."""
        found = PolicyFile(force.origin.key, force.text.encode()).parse(self._limits()).diagnostics
        return not any(item.severity == "error" and item.code != "unknown-instance-type" for item in found)

    def _write_down(self, report: Report) -> tuple[bool, bool]:
        """The document, then the event where the state is another one. Whether that was told, and whether an earlier
        look saw the same."""
        key, now, state = addon_key(cluster_id(report.cluster_arn)), self._now(), report.state

        def change(there: AddonSeen | None) -> AddonSeen | None:
            if there is not None and now < there.at <= now + CLOCKS_APART:
                return None  # another pass looked later
            same = there is not None and there.state == state
            return AddonSeen(
                at=now,
                since=there.since if there is not None and same else now,
                state=state,
                before=there.before if there is not None and same else there.state if there is not None else "",
                announced=there.announced if there is not None else "",
                report=report,
            )

        written = self._documents.update(key, AddonSeen, change, derived=True)
        lasting = written is not None and written.since < now
        if written is None or written.announced == written.state:
            return False, lasting
        self._news.announce_addon(addon_news(written))

        def mark(there: AddonSeen | None) -> AddonSeen | None:
            if there is None or there.state != written.state:
                return None
            return msgspec.structs.replace(there, announced=written.state)

        self._documents.update(key, AddonSeen, mark, derived=True)
        return True, lasting


_FAILED = "failed"
