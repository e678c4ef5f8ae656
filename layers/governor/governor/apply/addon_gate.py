"""The gate before a cluster's quotas: the add-on is there, EKS says ACTIVE, and Kubernetes does not say otherwise.

Both the owner of the stack (AddonInstall) and the author of the policy (its ``addon`` block) have to want a change of
the add-on (`apply/addon_change.py`). Nobody waits longer than the slice has time.
"""

from typing import Protocol

from governor.addon.asking import attempt_to_find
from governor.addon.intent import DEFAULT, asked_for
from governor.addon.issues import remedy_for
from governor.addon.readiness import ask_kubernetes, by_eks
from governor.addon.seen import Addon, Missing
from governor.addon.versions import ADDON
from governor.apply.addon_change import Change, ClosedError, Place, Surroundings
from governor.quota import Cluster
from governor.records.documents import Run, StepDone

STARTING_SECONDS = 120.0
"""How long a controller that was just installed or updated may take to become available, within a slice."""


class Passage(Protocol):
    """One slice's way through the gate: ``steps`` are what was begun on it, ``warnings`` go with the verdict."""

    @property
    def steps(self) -> tuple[StepDone, ...]:
        """What was begun."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to tell."""
        ...

    @property
    def version(self) -> str:
        """Of the add-on that is ACTIVE; "" before that was seen."""
        ...

    def prepare(self, wanted: str) -> None:
        """See to the add-on; ClosedError."""
        ...

    def check(self) -> None:
        """Right before the first change of a quota; ClosedError."""
        ...

    def check_removal(self) -> None:
        """The same where quotas are only deleted, and no file is left that could ask for an add-on."""
        ...


class Gate(Protocol):
    """Where a slice gets its passage."""

    def passage(self, cluster: Cluster, run: Run, ends: float) -> Passage:
        """``ends`` is on the clock."""
        ...


class AddonGate:
    """The gate of a deployment."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    def passage(self, cluster: Cluster, run: Run, ends: float) -> Passage:
        """One slice's way."""
        return _Passage(Place(self._surroundings, cluster, run, ends))


class _Passage:
    def __init__(self, place: Place) -> None:
        self._place, self._change = place, Change(place)
        self._name = place.cluster.eks_name
        self._version = ""

    @property
    def steps(self) -> tuple[StepDone, ...]:
        return self._change.steps

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(self._place.warnings)

    @property
    def version(self) -> str:
        return self._version

    def prepare(self, wanted: str) -> None:
        """Install, update and wait as far as it is asked for, allowed and possible; ClosedError with the rest."""
        if not self._name:
            return  # the plan refuses a cluster without EKS, in better words
        addon = self._place.settle(self._place.look())  # what somebody else has begun comes to its end first
        intent = asked_for(addon, wanted)
        if intent != "nothing" and self._place.settings.may_change:
            addon = self._place.settle(self._change.make(intent, addon, wanted))
        elif intent == "upgrade" and isinstance(addon, Addon):
            self._place.warn(
                f"the file asks for the add-on {wanted}, {addon.version} is installed, and this stack only looks "
                "(AddonInstall=VerifyOnly)"
            )
        self._change.ended(addon)
        if isinstance(addon, Missing):
            raise ClosedError(self._not_installed(wanted))
        self._refuse_unless_active(addon)
        self._version = addon.version

    def check(self) -> None:
        """Kubernetes says that controller and webhook are ready, or cannot be asked and need not be."""
        if not self._name:
            return
        inside = self._place.inside()
        ready = ask_kubernetes(inside)
        if ready.state == "not ready" and self._place.moved:  # it is starting
            for _ in self._place.pauses(min(STARTING_SECONDS, self._place.patience)):
                ready = ask_kubernetes(inside)
                if ready.state != "not ready":
                    break
        if ready.state == "not ready":
            raise ClosedError(f"the add-on is ACTIVE and not ready: {ready.reason} → {ready.remedy}")
        if ready.state == "unknown" and self._place.settings.kubernetes_checks == "Required":
            raise ClosedError(
                "whether the add-on's controller and webhook are ready cannot be seen, and this stack requires it "
                f"(KubernetesChecks=Required): {ready.reason}"
            )
        if ready.state == "unknown":
            self._place.warn(f"whether the add-on's controller and webhook are ready could not be seen: {ready.reason}")

    def check_removal(self) -> None:
        """The same where quotas are only deleted, and no file is left that could ask for an add-on."""
        if not self._name:
            return
        addon = self._place.settle(self._place.look())
        if isinstance(addon, Missing):
            raise ClosedError(
                f"the add-on is not installed on {self._name}, and quotas are deleted only while it is ready → install "
                f"it ({self._by_hand()}), or delete them by hand (aws sagemaker delete-compute-quota); what is left "
                "then goes on by itself"
            )
        self._refuse_unless_active(addon)
        self.check()

    def _refuse_unless_active(self, addon: Addon) -> None:
        ready = by_eks(addon)
        if ready.state == "ready":
            return
        raise ClosedError(f"{ready.reason} → {self._change.remedy or remedy_for(addon, self._name)}")

    def _not_installed(self, wanted: str) -> str:
        name = self._name
        below = attempt_to_find(lambda: self._place.eks.cluster(name))
        if isinstance(below, Missing):
            return f"the EKS cluster {name} below {self._place.cluster.name} does not exist: {below.reason}"
        if not wanted:
            return (
                f"the add-on is not installed on {name}, and the file does not ask for it → write "
                f"'addon: {{version: {DEFAULT}}}' into the file (and deploy the stack with AddonInstall=Install), or "
                f"run {self._by_hand()}"
            )
        if not self._place.settings.may_change:
            return (
                f"the add-on is not installed on {name}, and this stack only looks (AddonInstall=VerifyOnly) → deploy "
                f"it with AddonInstall=Install, or run {self._by_hand()}"
            )
        return f"the add-on is not installed on {name} → {self._change.remedy or self._by_hand()}"

    def _by_hand(self) -> str:
        return f"aws eks create-addon --cluster-name {self._name} --addon-name {ADDON}"
