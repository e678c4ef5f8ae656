"""Reading of selectors: expressions over labels."""

from governor.kueue.objects import Requirement, Selector
from governor.kueue.reading.wire import Shape


class Expression(Shape, frozen=True):
    key: str
    operator: str
    values: list[str] | None = None


class LabelSelector(Shape, frozen=True):
    match_labels: dict[str, str] | None = None
    match_expressions: list[Expression] | None = None


def selector(shape: LabelSelector) -> Selector:
    """All labels and all expressions must hold."""
    labels = (Requirement(key, "In", (value,)) for key, value in (shape.match_labels or {}).items())
    return Selector((*labels, *requirements(shape.match_expressions)))


def requirements(expressions: list[Expression] | None) -> tuple[Requirement, ...]:
    """One for each expression."""
    return tuple(Requirement(each.key, each.operator, tuple(each.values or ())) for each in expressions or ())
