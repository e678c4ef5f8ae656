"""Reading of ResourceFlavor, and of the tolerations that flavors and pods have alike."""

from governor.kueue.objects import ResourceFlavor, Taint, Toleration
from governor.kueue.reading.wire import Manifest, Shape, Source, decoded


class _Taint(Shape, frozen=True):
    key: str
    effect: str
    value: str | None = None


class TolerationShape(Shape, frozen=True):
    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class _Spec(Shape, frozen=True):
    node_labels: dict[str, str] | None = None
    node_taints: list[_Taint] | None = None
    tolerations: list[TolerationShape] | None = None
    topology_name: str | None = None


class _ResourceFlavor(Manifest, frozen=True, kw_only=True):
    spec: _Spec | None = None


def resource_flavor(source: Source) -> ResourceFlavor:
    """A ResourceFlavor of v1beta1 or v1beta2. Raises ReadingError."""
    found = decoded(source, "ResourceFlavor", _ResourceFlavor)
    spec = found.spec or _Spec()
    return ResourceFlavor(
        name=found.metadata.name,
        node_labels=spec.node_labels or {},
        taints=tuple(Taint(each.key, each.effect, each.value or "") for each in spec.node_taints or ()),
        tolerations=tolerations(spec.tolerations),
        topology=spec.topology_name or "",
    )


def tolerations(shapes: list[TolerationShape] | None) -> tuple[Toleration, ...]:
    """What is tolerated; an operator that is not said is Equal."""
    return tuple(
        Toleration(each.key or "", each.operator or "Equal", each.value or "", each.effect or "")
        for each in shapes or ()
    )
