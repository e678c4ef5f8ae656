"""The public workshop's jobs, submitted one after the other: one team borrows, the other reclaims, priority preempts.

It only asks the Kubernetes API, so it plays in a real Kueue as well as in the local one. Sources: the task governance
workshop for training, and its variant with instances of four GPUs; what they say is expected is checked here.
"""

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from local.aws.launcher import wait_for
from local.jobs import WAIT_SECONDS, Jobs

GPU = "nvidia.com/gpu"
Check = Callable[[str, bool], None]
Narrate = Callable[[str], None]
Step = Literal["borrow", "reclaim", "preempt"]
Totals = tuple[str, str]
"""What a queue uses, and how much of it is borrowed."""


@dataclass(frozen=True, slots=True)
class Walk:
    """One variant. ``pod`` is what a pod asks for; ``borrowed``, ``reclaimed`` and ``preempted`` are the totals of
    team-a after it has borrowed, of team-b after it has reclaimed, and after its more important job has begun."""

    flavor: str
    pod: Mapping[str, str]
    pods: tuple[int, int, int]
    borrowed: Mapping[str, Totals]
    reclaimed: Mapping[str, Totals]
    preempted: Mapping[str, Totals]


ONE_GPU = Walk(
    flavor="ml.g5.8xlarge",
    pod={GPU: "1", "cpu": "8", "memory": "32Gi"},
    pods=(3, 2, 2),
    borrowed={GPU: ("3", "1"), "cpu": ("24", "0"), "memory": ("96Gi", "0")},
    reclaimed={GPU: ("2", "0"), "cpu": ("16", "0"), "memory": ("64Gi", "0")},
    preempted={GPU: ("2", "0"), "cpu": ("16", "0"), "memory": ("64Gi", "0")},
)
"""Two teams with two instances of one GPU each, which may borrow half as much again."""

FOUR_GPUS = Walk(
    flavor="ml.g5.12xlarge",
    pod={GPU: "4", "cpu": "44", "memory": "164Gi"},
    pods=(2, 1, 2),
    borrowed={GPU: ("8", "4"), "cpu": ("88", "40"), "memory": ("328Gi", "136Gi")},
    reclaimed={GPU: ("4", "0"), "cpu": ("44", "0"), "memory": ("164Gi", "0")},
    preempted={GPU: ("8", "4"), "cpu": ("88", "40"), "memory": ("328Gi", "136Gi")},
)
"""Two teams with one instance of four GPUs each, which may borrow the other's."""

_NOTHING: Totals = ("0", "0")
Perform = Callable[[Jobs, Walk, Check, Narrate], None]


def play(
    jobs: Jobs,
    walk: Walk,
    check: Check,
    narrate: Narrate,
    after: Callable[[Step], None] = lambda _: None,
) -> None:
    """Submit the three jobs and check what becomes of all of them; what was submitted stays.

    ``after`` is called when a step is done, before the next one begins.
    """
    steps: tuple[tuple[Step, Perform], ...] = (("borrow", _borrow), ("reclaim", _reclaim), ("preempt", _preempt))
    for step, perform in steps:
        perform(jobs, walk, check, narrate)
        after(step)


def _borrow(jobs: Jobs, walk: Walk, check: Check, narrate: Narrate) -> None:
    narrate(f"team-a submits imagenet-a: {_pods(walk, 0)}, training-priority")
    jobs.submit("team-a", "imagenet-a", pods=walk.pods[0], requests=walk.pod, priority="training")
    jobs.wait("team-a", "imagenet-a", "Admitted")
    jobs.wait_for_usage("team-a", walk.flavor, walk.borrowed)
    total, borrowed = walk.borrowed[GPU]
    _show(jobs, walk, narrate)
    running = _comes_true(lambda: not jobs.is_suspended("team-a", "imagenet-a"))
    check(f"team-a runs on {total} GPUs, {borrowed} of them borrowed", running)


def _reclaim(jobs: Jobs, walk: Walk, check: Check, narrate: Narrate) -> None:
    narrate(f"team-b submits mnist-b: {_pods(walk, 1)}, training-priority; all of it is its own quota")
    jobs.submit("team-b", "mnist-b", pods=walk.pods[1], requests=walk.pod, priority="training")
    jobs.wait("team-b", "mnist-b", "Admitted")
    jobs.wait("team-a", "imagenet-a", "QuotaReserved", "False")
    jobs.wait_for_usage("team-b", walk.flavor, walk.reclaimed)
    jobs.wait_for_usage("team-a", walk.flavor, {GPU: _NOTHING})
    _show(jobs, walk, narrate)
    running = _comes_true(lambda: not jobs.is_suspended("team-b", "mnist-b"))
    check("team-b's job reclaims its quota and runs", running)
    _tell(jobs, "team-a", "imagenet-a", narrate)
    told = "due to reclamation within the cohort"
    reclaimed = _comes_true(lambda: _is_preempted(jobs, "team-a", "imagenet-a", "InCohortReclamation", told))
    check("team-a's is suspended: Evicted, Preempted, InCohortReclamation", reclaimed)


def _preempt(jobs: Jobs, walk: Walk, check: Check, narrate: Narrate) -> None:
    narrate(f"team-b submits imagenet-b: {_pods(walk, 2)}, experimentation-priority, which is above training")
    jobs.submit("team-b", "imagenet-b", pods=walk.pods[2], requests=walk.pod, priority="experimentation")
    jobs.wait("team-b", "imagenet-b", "Admitted")
    jobs.wait("team-b", "mnist-b", "QuotaReserved", "False")
    jobs.wait_for_usage("team-b", walk.flavor, walk.preempted)
    _show(jobs, walk, narrate)
    check("the more important job runs", _comes_true(lambda: not jobs.is_suspended("team-b", "imagenet-b")))
    told = "due to prioritization in the ClusterQueue"
    preempted = _comes_true(lambda: _is_preempted(jobs, "team-b", "mnist-b", "InClusterQueue", told))
    check("team-b's other job is suspended: Evicted, Preempted, InClusterQueue", preempted)
    for team, name in (("team-b", "mnist-b"), ("team-a", "imagenet-a")):
        wait_for(partial(_says_what_it_waits_for, jobs, team, name, walk), WAIT_SECONDS)
        _tell(jobs, team, name, narrate)
    check("both wait, and say for what", jobs.is_suspended("team-a", "imagenet-a"))


def _comes_true(look: Callable[[], bool]) -> bool:
    """Whether it is so in time: Kueue starts and suspends a job some time after it has said what becomes of it."""
    try:
        return wait_for(look, WAIT_SECONDS)
    except TimeoutError:
        return False


def _is_preempted(jobs: Jobs, team: str, name: str, reason: str, told: str) -> bool:
    """Whether the conditions say so, each of them, and the job is suspended."""
    conditions = jobs.conditions(team, name)
    evicted, preempted = conditions.get("Evicted", {}), conditions.get("Preempted", {})
    admitted, requeued = conditions.get("Admitted", {}), conditions.get("Requeued", {})
    return (
        (evicted.get("status"), evicted.get("reason")) == ("True", "Preempted")
        and (preempted.get("status"), preempted.get("reason")) == ("True", reason)
        and told in preempted["message"] == evicted["message"]
        and (admitted.get("status"), admitted.get("reason")) == ("False", "NoReservation")
        and (requeued.get("status"), requeued.get("reason")) == ("True", "Preempted")
        and jobs.is_suspended(team, name)
    )


def _says_what_it_waits_for(jobs: Jobs, team: str, name: str, walk: Walk) -> bool:
    """Kueue first writes that it was preempted, and then what is missing."""
    reserved = jobs.conditions(team, name)["QuotaReserved"]
    told = f"insufficient unused quota for {GPU} in flavor {walk.flavor}"
    return (reserved["status"], reserved["reason"]) == ("False", "Pending") and told in reserved["message"]


def _pods(walk: Walk, job: int) -> str:
    pods, gpus = walk.pods[job], walk.pod[GPU]
    return f"{pods} {'pod' if pods == 1 else 'pods'} with {gpus} {'GPU' if gpus == '1' else 'GPUs'} each"


def _tell(jobs: Jobs, team: str, name: str, narrate: Narrate) -> None:
    """The conditions of a job's workload, as Kueue has written them; Evicted and Preempted have one message."""
    narrate(f"    {team}/{name}")
    for kind, condition in jobs.conditions(team, name).items():
        if kind in ("QuotaReserved", "Evicted", "Preempted"):
            told = f"{kind}={condition['status']} {condition['reason']}"
            if kind != "Evicted":
                told += f": {condition['message']}"
            narrate(_wrapped(told))


def _wrapped(told: str) -> str:
    wrapper = textwrap.TextWrapper(110, initial_indent="      ", subsequent_indent="        ", break_on_hyphens=False)
    return wrapper.fill(told)


def _show(jobs: Jobs, walk: Walk, narrate: Narrate) -> None:
    """Each team's GPUs, a character each: its own and borrowed ones."""
    for team in ("team-a", "team-b"):
        total, borrowed = (int(each) for each in jobs.usage(team).get((walk.flavor, GPU), _NOTHING))
        bar = "█" * (total - borrowed) + "▒" * borrowed
        narrate(f"    {team}  {bar or '·':<8}  {total} GPUs, {borrowed} borrowed")
