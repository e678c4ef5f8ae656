"""Installing and updating the add-on: only when every check of the preflight passes, and never for ever.

An upload has one try to update, and one to install that EKS refuses; then somebody has to mend the cause
and upload the file again.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from governor.addon.checks import Check, in_words, standing_in_the_way
from governor.addon.intent import Intent, target_of
from governor.addon.issues import MOVING
from governor.addon.looking import Looker
from governor.addon.ports import Eks, KueueInstallation, ResolveConflicts
from governor.addon.preflight import preflight
from governor.addon.seen import Addon, Missing
from governor.addon.versions import ADDON, version_of
from governor.apply.ports import Clock
from governor.errors import ConflictError, PermanentError
from governor.plan import Change as Changed
from governor.quota import Cluster
from governor.records.addons import last_change, remember, tries_of, was_tried
from governor.records.documents import AddonChange, Run, StepDone
from governor.records.queue import RESYNC
from governor.records.store import Documents

KubernetesChecks = Literal["Required", "WhenReachable"]
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 5.0
PROMPT_SECONDS = 15.0
"""How long EKS may go on telling the state from before a change that it has accepted."""
RESYNC_SECONDS = 30.0
"""How long a run that waits since an earlier slice waits: the next resync comes in five minutes."""
_WISHES = ("add-on version", "known faults", "upgrade path")
"""Checks of what the file asks for. That is refused, rather than put off until the cluster is fit for it."""


class GateSettings(msgspec.Struct, frozen=True):
    """How the owner of the stack wants the add-on to be treated. ``tags`` are those of a new add-on."""

    may_change: bool = False
    resolve_conflicts: ResolveConflicts = "NONE"
    kubernetes_checks: KubernetesChecks = "WhenReachable"
    tags: Mapping[str, str] = {}


class Surroundings(msgspec.Struct, frozen=True):
    """What the gate asks, of the deployment."""

    looker: Looker
    eks: Eks
    documents: Documents
    settings: GateSettings
    clock: Clock
    now: Callable[[], datetime]


class ClosedError(Exception):
    """Nothing may be done to the quotas now; the text says why and what would help."""


class Place:
    """One cluster in one slice. ``moved``: the add-on was seen to be on its way."""

    def __init__(self, surroundings: Surroundings, cluster: Cluster, run: Run, ends: float) -> None:
        self._surroundings = surroundings
        self.cluster, self.run = cluster, run
        self.eks, self.settings = surroundings.eks, surroundings.settings
        self.looker, self.documents, self.now = surroundings.looker, surroundings.documents, surroundings.now
        self._clock, self._ends = surroundings.clock, ends
        self.moved = False
        self.warnings: list[str] = []

    def look(self) -> Addon | Missing:
        """What EKS knows of the add-on now."""
        name = self.cluster.eks_name
        addon = self.eks.addon(name)
        if addon is not None and addon.status in MOVING:
            self.moved = True
        return Missing(f"the add-on is not installed on {name}") if addon is None else addon

    def time_left(self) -> float:
        """Seconds of the slice."""
        return self._ends - self._clock.monotonic()

    @property
    def patience(self) -> float:
        """Seconds that something on its way is waited for, within the slice."""
        return RESYNC_SECONDS if self.run.why == RESYNC else math.inf

    def inside(self) -> KueueInstallation:
        """The cluster's own Kubernetes API."""
        return self.looker.inside(self.cluster.eks_name)

    def settle(self, addon: Addon | Missing) -> Addon | Missing:
        """The add-on once nothing moves any more, or the time is over."""
        if _moves(addon):
            for _ in self.pauses(self.patience):
                addon = self.look()
                if not _moves(addon):
                    break
        return addon

    def pauses(self, most: float) -> Iterator[None]:
        """Waits, a little longer each time, until that comes to ``most`` seconds or the slice is over."""
        now = self._clock.monotonic
        ends, pause = min(self._ends, now() + most), FIRST_PAUSE
        while (left := ends - now()) > 0:
            self._clock.sleep(min(pause, left))
            pause = min(2 * pause, LONGEST_PAUSE)
            yield

    def warn(self, text: str) -> None:
        """Something to tell with the verdict."""
        if text not in self.warnings:
            self.warnings.append(text)


class Change:
    """The change of the add-on within one slice, if there is one. ``remedy`` is what a person can do about its end."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._intent: Intent = "nothing"
        self._before, self._version = "", ""
        self.steps: tuple[StepDone, ...] = ()
        self.remedy = ""

    def make(self, intent: Intent, addon: Addon | Missing, wanted: str) -> Addon | Missing:
        """Begin it, if nothing stands in the way; the add-on then. ClosedError for what is refused."""
        place = self._place
        seen = place.looker.look_below(place.cluster, place.time_left)
        version = target_of(wanted, seen)
        last = last_change(place.documents, place.cluster.arn)
        if was_tried(last, intent, place.run.origin, version):
            self._tell_tried(intent, addon, version, last.refused if last else "")
            return addon
        blocking = standing_in_the_way(preflight(seen, version))
        if blocking:
            self._put_off(intent, addon, version, blocking)
            return addon
        self._before = addon.version if isinstance(addon, Addon) else ""
        conflict = self._begin(intent, version, tries_of(last, intent, place.run.origin, version))
        found = self._seen_to_begin(addon, version)
        if conflict and not _moves(found) and not (isinstance(found, Addon) and found.version == version):
            self._remember(intent, version, 0, refused=conflict)  # nobody is at it: that is all that EKS says
            self._tell_tried(intent, addon, version, conflict)
        return found

    def ended(self, addon: Addon | Missing) -> None:
        """What became of it."""
        if self._intent == "nothing":
            return
        if isinstance(addon, Addon) and addon.status == "ACTIVE" and addon.version == self._version:
            self._note("done", "installed" if self._intent == "install" else "updated")
        elif isinstance(addon, Addon) and addon.status in MOVING:
            self._note("waiting", f"is {addon.status}")
        else:
            told = addon.status if isinstance(addon, Addon) else "it is not there"
            self._note("failed", told)
            if self._intent == "upgrade":  # what became of an installation has to be deleted before another one
                self.remedy = self._once_more(self._intent, self._version)
            if isinstance(addon, Addon) and addon.status == "ACTIVE":
                self._place.warn(
                    f"EKS accepted the update of the add-on to {self._version} and shows {addon.version}: {self.remedy}"
                )

    def _begin(self, intent: Intent, version: str, tries: int) -> str:
        """Call EKS; what it said where it is, or seems to be, at something else."""
        place, name = self._place, self._place.cluster.eks_name
        self._remember(intent, version, tries + 1)
        try:
            if intent == "install":
                place.eks.create(name, version, place.settings.resolve_conflicts, place.settings.tags)
            else:
                place.eks.update(name, version, place.settings.resolve_conflicts)
        except ConflictError as error:
            return str(error)
        except PermanentError as error:
            self._remember(intent, version, tries + 1, refused=str(error))
            raise
        self._remember(intent, version, tries + 1, begun=True)
        self._intent, self._version = intent, version
        self._note("waiting", "begun")
        return ""

    def _seen_to_begin(self, before: Addon | Missing, version: str) -> Addon | Missing:
        """EKS answers reads from copies that may be a little behind."""
        addon = before
        for _ in itertools.chain((None,), self._place.pauses(PROMPT_SECONDS)):
            addon = self._place.look()
            if addon != before or (isinstance(addon, Addon) and (addon.status, addon.version) == ("ACTIVE", version)):
                break
        return addon

    def _put_off(self, intent: Intent, addon: Addon | Missing, version: str, blocking: tuple[Check, ...]) -> None:
        """An installation has to be, and what a file may not ask for is refused; another update has time."""
        if not isinstance(addon, Addon) or intent == "install":
            raise ClosedError(f"the add-on is not installed, because the preflight does not pass: {in_words(blocking)}")
        told = f"the add-on is not updated from {addon.version}, because the preflight does not pass: "
        refused = [check for check in blocking if check.verdict == "fail" and check.name in _WISHES]
        if refused and not _is_older(version, addon.version):
            raise ClosedError(f"{told}{in_words(blocking)}")
        self._place.warn(f"{told}{in_words(blocking)}")

    def _tell_tried(self, intent: Intent, addon: Addon | Missing, version: str, refused: str) -> None:
        said = f"; EKS said: {refused}" if refused else ""
        self.remedy = f"{self._once_more(intent, version)}{said}"
        if intent == "upgrade" and isinstance(addon, Addon):
            self._place.warn(f"the update of the add-on to {version} was tried for this upload{said}")

    def _once_more(self, intent: Intent, version: str) -> str:
        name, command = self._place.cluster.eks_name, "create-addon" if intent == "install" else "update-addon"
        return (
            f"mend the cause, then upload the file again, which tries {version} once more; or by hand: aws eks "
            f"{command} --cluster-name {name} --addon-name {ADDON} --addon-version {version} "
            "--resolve-conflicts OVERWRITE"
        )

    def _remember(self, intent: Intent, version: str, tries: int, *, begun: bool = False, refused: str = "") -> None:
        place = self._place
        change = AddonChange(
            at=place.now(),
            origin=place.run.origin,
            action="install" if intent == "install" else "upgrade",
            version=version,
            run=place.run.id,
            tries=tries,
            begun=begun,
            refused=refused,
        )
        remember(place.documents, place.cluster.arn, change)

    def _note(self, state: str, detail: str) -> None:
        self.steps = (
            StepDone(
                title="add-on",
                name=ADDON,
                action="create" if self._intent == "install" else "update",
                state=state,
                detail=detail,
                changes=(Changed("version", self._before, self._version),),
            ),
        )


def _moves(addon: Addon | Missing) -> bool:
    return isinstance(addon, Addon) and addon.status in MOVING


def _is_older(version: str, present: str) -> bool:
    old, new = version_of(version), version_of(present)
    return old is not None and new is not None and old < new
