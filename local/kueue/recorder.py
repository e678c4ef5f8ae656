"""Writes events of Kubernetes about objects, as a controller does."""

import itertools
from datetime import UTC, datetime

from local.hyperpod.clock import Clock
from local.kubernetes.errors import ApiError, JsonObject
from local.kubernetes.objects import Objects
from local.kueue.names import EVENT_PLACE

_HOST = "local"
_OF_CLUSTER = "default"
"""Where events about objects without a namespace are."""
_LONGEST_MESSAGE = 1024


class Recorder:
    """An event that cannot be written, because its namespace goes, is not written."""

    def __init__(self, objects: Objects, clock: Clock) -> None:
        self._objects = objects
        self._clock = clock
        self._numbers = itertools.count(1)

    def record(self, about: JsonObject, reason: str, message: str, component: str, kind: str = "Normal") -> None:
        """An event of this kind, Normal or Warning, about an object as it is now."""
        metadata = about["metadata"]
        namespace = metadata.get("namespace", "")
        within = namespace or _OF_CLUSTER
        now = self._clock.now()
        name = f"{metadata['name']}.{int(now * 10**9) + next(self._numbers):x}"
        moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": within},
            "involvedObject": {
                "kind": about["kind"],
                **({"namespace": namespace} if namespace else {}),
                "name": metadata["name"],
                "uid": metadata["uid"],
                "apiVersion": about["apiVersion"],
                "resourceVersion": metadata["resourceVersion"],
            },
            "reason": reason,
            "message": message[:_LONGEST_MESSAGE],
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "type": kind,
            "eventTime": moment,
            "action": reason,
            "reportingComponent": component,
            "reportingInstance": f"{component}-{_HOST}",
        }
        try:
            self._objects.create(EVENT_PLACE, event, within)
        except ApiError:
            return
