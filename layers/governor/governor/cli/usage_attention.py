"""The part of the page of usage that says in words what needs attention, what to do, and what is good to know."""

from collections.abc import Iterator

from governor.cli.usage_matters import CALM, Kind, Matter, matters
from governor.cli.usage_plots import clean
from governor.cli.usage_rows import Picture
from governor.policy.wording import counted
from governor.usage import ClusterUsage

_TABLES: dict[Kind, str] = {
    "over quota": "figures",
    "starved": "reclaim",
    "inactive": "figures",
    "stopped": "figures",
    "promises": "capacity",
    "good to know": "capacity",
}
"""Where all of a kind stand; of the others --json has all."""


def attention(picture: Picture) -> Iterator[str]:
    """What needs somebody; where nothing does, what was looked at."""
    found = list(matters(picture))
    if all(matter.kind in CALM for matter in found):
        yield f"<p>Nobody is over quota or starved, and no queue is held up. {_promises(picture.usage)}</p>"
    if found:
        yield f'<ul class="attention">{"".join(map(_item, found))}</ul>'


def _promises(usage: ClusterUsage) -> str:
    if usage.capacity is None:
        return "What quotas promise is compared with nothing: nodes were not read."
    return (
        "Nodes have the accelerators that quotas promise, and the vCPU where there are no accelerators; "
        "memory is not compared."
    )


def _item(matter: Matter) -> str:
    first, *others = matter.told
    said = [f"<p><b>{clean(matter.kind)}:</b> {clean(first)}</p>", *(f"<p>{clean(other)}</p>" for other in others)]
    if matter.untold:
        said.append(f"<p>and {counted(matter.untold, 'line')} more of the kind: {_elsewhere(matter.kind)}</p>")
    if matter.action:
        said.append(f'<p class="do">→ {clean(matter.action)}</p>')
    return f'<li class="a-{matter.kind.replace(" ", "-")}">{"".join(said)}</li>'


def _elsewhere(kind: Kind) -> str:
    table = _TABLES.get(kind)
    return f'<a href="#{table}">all of them</a>' if table else "governor usage --json has all"
