"""Reading of pod templates: what one pod requests, as Kueue counts it, and on which nodes it may run.

Sources: Kubernetes' documentation, "Sidecar containers" (resource sharing within containers) and "Pod overhead";
Kueue's documentation, "Workload" (resource requests). Not followed: LimitRange and RuntimeClass, which are objects of
their own (an overhead counts where the template says it), resource claims, and resources that Kueue is configured to
leave out or to transform.
"""

from governor.kueue.objects import Amounts, Selector
from governor.kueue.quantities import Quantity, counted
from governor.kueue.reading.flavors import TolerationShape
from governor.kueue.reading.selectors import Expression, requirements
from governor.kueue.reading.wire import Measures, Shape


class _Resources(Shape, frozen=True):
    requests: Measures | None = None
    limits: Measures | None = None


class _Container(Shape, frozen=True):
    resources: _Resources | None = None
    restart_policy: str | None = None


class _Term(Shape, frozen=True):
    match_expressions: list[Expression] | None = None


class _Terms(Shape, frozen=True):
    node_selector_terms: list[_Term] | None = None


class _NodeAffinity(Shape, frozen=True):
    required_during_scheduling_ignored_during_execution: _Terms | None = None


class _Affinity(Shape, frozen=True):
    node_affinity: _NodeAffinity | None = None


class PodShape(Shape, frozen=True):
    containers: list[_Container] | None = None
    init_containers: list[_Container] | None = None
    resources: _Resources | None = None
    overhead: Measures | None = None
    node_selector: dict[str, str] | None = None
    affinity: _Affinity | None = None
    tolerations: list[TolerationShape] | None = None


_Exact = dict[str, int]
"""By resource, in thousand-millionths: what is added up is rounded once, at the end."""


def requests(pod: PodShape) -> Amounts:
    """What one pod requests: its containers together, or what it needs to start if that is more, and its overhead."""
    total: _Exact = {}
    for container in pod.containers or ():
        _add(total, _asked(container.resources))
    _start(total, pod.init_containers or [])
    for resource, nano in _asked(pod.resources).items():
        if resource in ("cpu", "memory") or resource.startswith("hugepages-"):
            total[resource] = nano
    for resource, measure in (pod.overhead or {}).items():
        _add(total, {resource: measure.quantity.nano})
    # Kueue counts a negative request as 0.
    return {resource: max(0, counted(resource, Quantity(nano))) for resource, nano in total.items()}


def affinity(pod: PodShape) -> tuple[Selector, ...]:
    """The alternatives of the required node affinity; of a term on fields nothing is left, and that selects all."""
    found = pod.affinity.node_affinity if pod.affinity else None
    terms = found.required_during_scheduling_ignored_during_execution if found else None
    return tuple(
        Selector(requirements(each.match_expressions)) for each in (terms.node_selector_terms if terms else None) or ()
    )


def _start(total: _Exact, containers: list[_Container]) -> None:
    """Init containers run one after the other, beside the sidecars that were started before and stay."""
    sidecars: _Exact = {}
    most: _Exact = {}
    for container in containers:
        needed = _asked(container.resources)
        if container.restart_policy == "Always":
            _add(total, needed)
            _add(sidecars, needed)
            needed = sidecars
        else:
            _add(needed, sidecars)
        _raise(most, needed)
    _raise(total, most)


def _asked(resources: _Resources | None) -> _Exact:
    """The requests; where there is none, the limit stands for it."""
    if resources is None:
        return {}
    measures = {**(resources.limits or {}), **(resources.requests or {})}
    return {resource: measure.quantity.nano for resource, measure in measures.items()}


def _add(to: _Exact, what: _Exact) -> None:
    for resource, nano in what.items():
        to[resource] = to.get(resource, 0) + nano


def _raise(to: _Exact, what: _Exact) -> None:
    for resource, nano in what.items():
        to[resource] = max(to.get(resource, nano), nano)
