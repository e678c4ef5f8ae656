"""Reading of WorkloadPriorityClass."""

from governor.kueue.objects import WorkloadPriorityClass
from governor.kueue.reading.wire import Int32, Manifest, Source, decoded


class _WorkloadPriorityClass(Manifest, frozen=True, kw_only=True):
    value: Int32


def workload_priority_class(source: Source) -> WorkloadPriorityClass:
    """A WorkloadPriorityClass of v1beta1 or v1beta2. Raises ReadingError."""
    found = decoded(source, "WorkloadPriorityClass", _WorkloadPriorityClass)
    return WorkloadPriorityClass(found.metadata.name, found.value)
