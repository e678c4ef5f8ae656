"""Kueue's objects out of what an API server answers: v1beta1, v1beta2 and, for a Cohort, v1alpha1, into one type each.

Every function takes one object, as JSON or decoded, and raises ReadingError alone, whatever it is given. Members that
the types have no use for are ignored, optional ones that are missing take the API's defaults, enumerations are passed
on as they are. A list, or a page of one, is read by ``page``.
"""

from governor.kueue.reading.flavors import resource_flavor
from governor.kueue.reading.lists import Page, page
from governor.kueue.reading.priorities import workload_priority_class
from governor.kueue.reading.queues import cluster_queue, cohort, local_queue
from governor.kueue.reading.wire import ReadingError, Source
from governor.kueue.reading.workloads import workload

__all__ = [
    "Page",
    "ReadingError",
    "Source",
    "cluster_queue",
    "cohort",
    "local_queue",
    "page",
    "resource_flavor",
    "workload",
    "workload_priority_class",
]
