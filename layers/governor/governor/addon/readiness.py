"""Whether the add-on is ready for quotas: EKS says ACTIVE, the controller is available, the webhook answers.

A cluster policy that is made before that ends CreateFailed (facts 1c), so the writer waits for it.
"""

from typing import Literal

import msgspec

from governor.addon.asking import Asking
from governor.addon.issues import state_in_words
from governor.addon.ports import KueueInstallation
from governor.addon.seen import Addon, Controller, Unknown

State = Literal["ready", "not ready", "unknown"]


class Readiness(msgspec.Struct, frozen=True):
    """``reason`` says why it is not ready, or why nobody could look; ``remedy`` what would help."""

    state: State
    reason: str = ""
    remedy: str = ""


READY = Readiness("ready")


def by_eks(addon: Addon) -> Readiness:
    """What EKS says."""
    if addon.status == "ACTIVE":
        return READY
    return Readiness("not ready", state_in_words(addon))


def by_kubernetes(controller: Controller | Unknown | None, webhook: int | Unknown) -> Readiness:
    """What Kubernetes says. A bad answer counts for more than none."""
    problems = []
    if controller is None:
        problems.append("the deployment kueue-controller-manager is not in kueue-system")
    elif isinstance(controller, Controller) and not controller.ready:
        why = f": {controller.reason}" if controller.reason else ""
        problems.append(
            f"kueue-controller-manager is not available ({controller.available} of {controller.desired}){why}"
        )
    if not isinstance(webhook, Unknown) and webhook == 0:
        problems.append("kueue-webhook-service has no ready endpoint")
    if problems:
        remedy = "see why with kubectl get pods -n kueue-system and kubectl describe pods -n kueue-system"
        return Readiness("not ready", "; ".join(problems), remedy)
    for looked in (controller, webhook):
        if isinstance(looked, Unknown):
            return Readiness("unknown", looked.reason, looked.remedy)
    return READY


def ask_kubernetes(installation: KueueInstallation) -> Readiness:
    """Look at controller and webhook, and nothing else."""
    asking = Asking()
    controller = asking.ask(installation.controller)
    return by_kubernetes(controller, asking.ask(installation.webhook))
