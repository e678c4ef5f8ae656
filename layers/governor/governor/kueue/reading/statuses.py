"""Reading of what Kueue says of an object: its conditions, and what is used of a queue."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from governor.kueue.objects import Condition, FlavorUsage, QueueStatus, Usage
from governor.kueue.reading.wire import Count, Measure, Moment, Shape


class ConditionShape(Shape, frozen=True):
    type: str
    status: str
    reason: str | None = None
    message: str | None = None
    last_transition_time: Moment | None = None


class FairSharingStatus(Shape, frozen=True):
    weighted_share: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0


class _Resource(Shape, frozen=True):
    name: str
    total: Measure | None = None
    borrowed: Measure | None = None


class _Flavor(Shape, frozen=True):
    name: str
    resources: list[_Resource] | None = None


class QueueStatusShape(Shape, frozen=True):
    """The status of a ClusterQueue or LocalQueue; a LocalQueue of v1beta1 has flavorUsage, all others flavorsUsage."""

    conditions: list[ConditionShape] | None = None
    pending_workloads: Count = 0
    reserving_workloads: Count = 0
    admitted_workloads: Count = 0
    flavors_reservation: list[_Flavor] | None = None
    flavors_usage: list[_Flavor] | None = None
    flavor_usage: list[_Flavor] | None = None
    fair_sharing: FairSharingStatus | None = None


def queue_status(shape: QueueStatusShape | None) -> QueueStatus:
    """The status but for the weighted share, which only a ClusterQueue has."""
    shape = shape or QueueStatusShape()
    return QueueStatus(
        pending=shape.pending_workloads,
        reserving=shape.reserving_workloads,
        admitted=shape.admitted_workloads,
        reserved=_usage(shape.flavors_reservation),
        used=_usage(shape.flavors_usage or shape.flavor_usage),
        conditions=tuple(conditions(shape.conditions)),
    )


def conditions(shapes: list[ConditionShape] | None) -> Iterable[Condition]:
    """Each condition, in their order."""
    for each in shapes or ():
        at = each.last_transition_time.seconds if each.last_transition_time else 0
        yield Condition(each.type, each.status, each.reason or "", each.message or "", at)


def _usage(flavors: list[_Flavor] | None) -> Usage:
    return {
        flavor.name: {
            each.name: FlavorUsage(_of(each.total, each.name), _of(each.borrowed, each.name))
            for each in flavor.resources or ()
        }
        for flavor in flavors or ()
    }


def _of(measure: Measure | None, resource: str) -> int:
    return 0 if measure is None else measure.of(resource)
