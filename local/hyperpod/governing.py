"""Carries out in Kubernetes what calls have begun, off their path: for each cluster one after the other, in a thread.

When its time has come a transition is carried out, and then it ends; where the add-on is missing or Kubernetes refuses
an object of its resource for good, in the status of failure, with the reason. While Kubernetes cannot be asked, or
answers with other errors, transitions end as they would, and their objects follow as soon as it can. So do objects of
other resources, whatever keeps them away. A cluster whose Kubernetes is not known here has nothing to carry out.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.addon.connection import KubernetesError
from local.hyperpod.assumed import ASSUMED
from local.hyperpod.cluster_spec import instances
from local.hyperpod.governed_state import governed
from local.hyperpod.hardware import hardware
from local.hyperpod.keeping import Failure, Keeper, Owner
from local.hyperpod.kubernetes import Directory
from local.hyperpod.kueue_api import NotReadyError, nodes, served
from local.hyperpod.kueue_objects import expected_objects
from local.hyperpod.lifecycle import Phase
from local.hyperpod.request import Begun

if TYPE_CHECKING:
    from local.hyperpod.service import Service

logger = logging.getLogger("hyperpod")

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
"""Seconds between attempts: twice as long after each."""
LOOK_SECONDS = 0.02
"""How often a clock is looked at that a test may move."""
REFUSED = frozenset({400, 405, 413, 415, 422})
"""What Kubernetes would answer again."""
FAILURES = {"Creating": "CreateFailed", "Updating": "UpdateFailed", "Deleting": "DeleteFailed"}
MOST_REASON = 1024


@dataclass(slots=True)
class Line:
    """What a cluster waits for: transitions, and resources whose objects are to be written. The clock is the system's.

    An `owed` id of "" has what is missing written, and what is out of date. While Kubernetes `is_away` as a whole, what
    falls due is not tried before the pause is over.
    """

    begun: deque[Begun] = field(default_factory=deque)
    owed: set[str] = field(default_factory=set)
    pause: float = FIRST_PAUSE
    not_before: float = 0.0
    is_away: bool = False


class Governing:
    """Locks the service only while it reads or changes the account."""

    def __init__(self, service: "Service") -> None:
        self._service = service
        self._directory = Directory()
        self._changed = threading.Condition()
        self._lines: dict[str, Line] = {}
        self._threads: set[threading.Thread] = set()
        self._closed = False

    def follow(self, begun: Begun) -> None:
        """Have a transition carried out, after all that its cluster waits for already."""
        with self._changed:
            self._line(begun.cluster_arn).begun.append(begun)
            self._changed.notify_all()

    def restore(self, cluster_arn: str) -> None:
        """Have the cluster's objects made whole: those that are missing, and those of another plan."""
        with self._changed:
            self._line(cluster_arn).owed.add("")
            self._changed.notify_all()

    def waiting(self) -> list[str]:
        """The clusters that are not done, by ARN."""
        with self._changed:
            return sorted(self._lines)

    def forget(self) -> None:
        """Whatever has not been carried out never will be."""
        with self._changed:
            self._lines.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """End. A Kubernetes that is not ours alone gets back what was made there."""
        with self._changed:
            self._closed = True
            threads = list(self._threads)
        self.forget()
        for thread in threads:
            thread.join()
        if self._service.settings.kubeconfig is not None:
            self._sweep()
        self._directory.close()

    def _line(self, cluster_arn: str) -> Line:
        """Of a cluster; the caller holds the lock. A new one has a thread that works until nothing is left."""
        line = self._lines.get(cluster_arn)
        if line is None:
            line = Line()
            if not self._closed:
                self._lines[cluster_arn] = line
                thread = threading.Thread(target=self._work_through, args=(cluster_arn, line), daemon=True)
                self._threads.add(thread)
                thread.start()
        return line

    def _work_through(self, cluster_arn: str, line: Line) -> None:
        try:
            while self._is_wanted(cluster_arn, line):
                try:
                    self._step(cluster_arn, line)
                except Exception:
                    logger.exception("A transition of %s is given up.", cluster_arn)
                    with self._changed:
                        if line.begun:
                            line.begun.popleft()
        finally:
            with self._changed:
                # Whoever comes next must not wait for a thread that is no more.
                if self._lines.get(cluster_arn) is line:
                    del self._lines[cluster_arn]
                self._threads.discard(threading.current_thread())

    def _step(self, cluster_arn: str, line: Line) -> None:
        """Carry out the transition that is due, and what is owed; or wait a little."""
        now = time.monotonic()
        due = self._due(line)
        with self._changed:
            if due is None and not (line.owed and line.not_before <= now):
                self._changed.wait(LOOK_SECONDS)
                return
            if due is not None:
                line.owed.add(due.resource_id)
            tries = line.not_before <= now or not line.is_away
            owed = frozenset(line.owed) if tries else frozenset()
            line.owed -= owed
        failure = self._attempt(cluster_arn, line, owed, due) if tries else ""
        if due is not None:
            self._end(due, failure)
            with self._changed:
                line.begun.popleft()

    def _due(self, line: Line) -> Begun | None:
        """The first transition, if its time has come. One whose resource somebody has given a status is none."""
        with self._service.lock, self._changed:
            if not line.begun or line.begun[0].due > self._service.clock.now():
                return None
            if self._service.state.runs(line.begun[0]):
                return line.begun[0]
            line.begun.popleft()
            return None

    def _is_wanted(self, cluster_arn: str, line: Line) -> bool:
        """Whether something is left; where nothing is, the cluster is done."""
        with self._changed:
            if self._lines.get(cluster_arn) is not line:
                return False
            if not line.begun and not line.owed:
                del self._lines[cluster_arn]
                return False
            return True

    def _attempt(self, cluster_arn: str, line: Line, owed: frozenset[str], due: Begun | None) -> str:
        """Write what is owed, and owe again what cannot be; why the transition has failed, "" where it has not."""
        failure, again, is_away = "", owed, False
        try:
            failures = self._carry_out(cluster_arn, owed, due)
        except NotReadyError as error:
            # Who makes it ready has all that is in force written.
            logger.info("Nothing is written: %s", error)
            failure = "" if due is not None and due.running == "Deleting" else str(error)
            again = frozenset()
        except KubernetesError as error:
            logger.info("Kubernetes does not follow yet: %s", error)
            failure = str(error) if error.status in REFUSED else ""
            is_away = True
        except Exception as error:
            logger.exception("What is owed to Kubernetes could not be written.")
            failure = repr(error)
        else:
            failure = _refusal(failures, due)
            again = _still_owed(failures, owed)
        if due is not None and failure:
            again -= {due.resource_id}
        self._owe(line, again, is_away=is_away)
        return failure

    def _owe(self, line: Line, again: frozenset[str], *, is_away: bool) -> None:
        with self._changed:
            line.owed |= again
            line.is_away = is_away
            if again:
                line.not_before = time.monotonic() + line.pause
            line.pause = min(2 * line.pause, LONGEST_PAUSE) if again else FIRST_PAUSE

    def _carry_out(self, cluster_arn: str, owed: Collection[str], due: Begun | None) -> list[Failure]:
        service = self._service
        with service.lock:
            spec = service.state.clusters.spec_of(cluster_arn)
            settings, living = service.settings, service.state.clusters.ids()
        reached = self._directory.find(settings, spec.eks_arn) if spec is not None and spec.eks_arn else None
        if spec is None or reached is None:
            return []
        apis = served(reached)
        present = nodes(reached, spec.name)
        with service.lock:
            wanted = governed(
                service.state,
                cluster_arn,
                instances(spec) if present is None else present,
                service.clock.now(),
                due.resource_id if due else None,
            )
        owner = Owner(cluster_arn.rpartition("/")[2], living)
        return Keeper(reached.connection, apis).keep(expected_objects(wanted, apis, hardware(), ASSUMED), owner, owed)

    def _end(self, begun: Begun, failure: str) -> None:
        """Give the resource the status in which its transition ends, unless somebody has given it one meanwhile."""
        status = FAILURES[begun.running] if failure else begun.done
        service = self._service
        with service.lock:
            if service.state.runs(begun):
                phase = Phase(service.clock.now(), status, failure[:MOST_REASON] or None)
                service.state.force_status(begun.resource_id, phase)

    def _sweep(self) -> None:
        try:
            reached = self._directory.find(self._service.settings, "")
            if reached is not None:
                for each in Keeper(reached.connection, served(reached)).keep((), Owner("", ()), ()):
                    logger.error("What was made in Kubernetes is still there: %s", each.error)
        except (KubernetesError, NotReadyError, OSError):
            logger.exception("What was made in Kubernetes is still there.")


def _refusal(failures: Iterable[Failure], due: Begun | None) -> str:
    """Why Kubernetes will never have an object that the transition needs; "" where it has or may have them all."""
    if due is None:
        return ""
    errors = (each.error for each in failures if due.resource_id in each.concerns)
    return next((str(each) for each in errors if isinstance(each, KubernetesError) and each.status in REFUSED), "")


def _still_owed(failures: Iterable[Failure], owed: Collection[str]) -> frozenset[str]:
    """The ids of whom something is missing. Whose resource was not owed has only that written, not all it has."""
    again: set[str] = set()
    for each in failures:
        logger.info("Kubernetes does not follow yet: %s", each.error)
        again |= {origin if origin in owed else "" for origin in each.concerns or ("",)}
    return frozenset(again)
