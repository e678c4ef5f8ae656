"""The part of the page of usage that compares what quotas promise with what nodes have."""

from collections.abc import Iterator

from governor.cli import usage_plots as plots
from governor.cli.usage_plots import clean
from governor.cli.usage_rows import plain_of
from governor.cli.usage_words import broken_promises
from governor.usage import Capacity, ClusterUsage
from governor.usage.measures import measure_of


def promises(usage: ClusterUsage) -> Iterator[str]:
    """What quotas promise against what nodes have."""
    if usage.capacity is None:
        yield "<p>The nodes could not be read: whoever may list them sees here what quotas promise against them.</p>"
        return
    found = [each for each in usage.capacity if each.promised or each.present]
    if not found:
        yield "<p>No quota is about anything.</p>"
        return
    yield (
        '<p class="muted small">The upper bar is what quotas promise, the lower one what nodes have: in use, not in '
        "use, and dotted what is not allocatable. Accelerators are compared with what is allocatable, vCPU with what "
        "ready nodes have in all: quotas count nominal vCPU, of which the system keeps a part. vCPU beside "
        "accelerators is told, not judged; memory is not compared.</p>"
    )
    broken = {(each.flavor, each.resource) for each in broken_promises(usage)}
    yield '<ol class="bars">'
    for index, each in enumerate(sorted(found, key=_by_flavor)):
        figures = _figures(each)
        name = f'{clean(each.flavor)} <span class="muted small">{clean(each.resource).replace("/", "/<wbr/>")}</span>'
        is_broken = (each.flavor, each.resource) in broken
        bar = plots.capacity_bar(f"capacity-{index}", each, figures, "over" if is_broken else "absent")
        told = _told(each, figures, is_broken=is_broken)
        yield f'<li><div class="who">{name}</div>{bar}<div class="what">{told}</div></li>'
    yield "</ol>"


def _told(each: Capacity, figures: dict[str, str], *, is_broken: bool) -> str:
    said = [f"promised {figures['promised']}"]
    if each.above and each.resource == "cpu":
        said.append(f"ready nodes have {figures['there']}")
    said.append(f"allocatable {figures['allocatable']} of {figures['present']} present")
    told = clean(" · ".join(said))
    if not each.above:
        return told
    above = f"{clean(figures['above'])} above"
    return f"{told} · <b>{above}</b>" if is_broken else f"{told} · {above}, not judged"


def _by_flavor(each: Capacity) -> tuple[str, bool, bool, str]:
    """Accelerators first."""
    others = each.resource in ("cpu", "memory")
    return each.flavor, others, measure_of(each.resource) is None, each.resource


def _figures(each: Capacity) -> dict[str, str]:
    amounts = {
        "promised": each.promised,
        "there": each.promised - each.above,
        "present": each.present,
        "allocatable": each.allocatable,
        "idle": each.idle,
        "above": each.above,
        "busy": each.allocatable - each.idle,
        "absent": each.present - each.allocatable,
    }
    return {name: plain_of(each.resource, amount) for name, amount in amounts.items()}
