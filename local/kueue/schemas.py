"""What the definitions of Kueue 0.19.2 say of its objects where ours take everything: members, defaults, bounds.

Only what is written by users is here: statuses are Kueue's own. v1beta1 has other names for some members, and where it
is the only version, as in Kueue 0.12, other words for the fungibility of flavors.
"""

from collections.abc import Collection, Mapping

from local.kubernetes.schema import Schema

_NAME: Schema = {
    "type": "string",
    "maxLength": 253,
    "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
}
_QUANTITY: Schema = {"quantity": True}
_TEXT: Schema = {"type": "string"}
_INT32: Schema = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
_STOP_POLICY: Schema = {"type": "string", "default": "None", "enum": ("None", "Hold", "HoldAndDrain")}
_FAIR_SHARING: Schema = {"type": "object", "properties": {"weight": {"quantity": True, "default": 1}}}


def _words(*enum: str, default: str = "") -> Schema:
    return {"type": "string", "enum": enum, **({"default": default} if default else {})}


def _object(properties: Mapping[str, Schema], *required: str, default: object = None) -> Schema:
    schema = {"type": "object", "properties": properties, "required": required}
    return schema if default is None else {**schema, "default": default}


def _list(items: Schema, most: int, *, least: int = 0, keys: tuple[str, ...] = ()) -> Schema:
    return {"type": "array", "items": items, "maxItems": most, "minItems": least, "keys": keys}


_RESOURCE_GROUPS = _list(
    _object(
        {
            "coveredResources": _list(_TEXT, 64, least=1),
            "flavors": _list(
                _object(
                    {
                        "name": _NAME,
                        "resources": _list(
                            _object(
                                {
                                    "name": _TEXT,
                                    "nominalQuota": _QUANTITY,
                                    "borrowingLimit": _QUANTITY,
                                    "lendingLimit": _QUANTITY,
                                },
                                "name",
                                "nominalQuota",
                            ),
                            64,
                            least=1,
                            keys=("name",),
                        ),
                    },
                    "name",
                    "resources",
                ),
                64,
                least=1,
                keys=("name",),
            ),
        },
        "coveredResources",
        "flavors",
    ),
    16,
)


def _cluster_queue(cohort: str, when_can_borrow: Schema, when_can_preempt: Schema) -> Schema:
    return _object(
        {
            cohort: _NAME,
            "fairSharing": _FAIR_SHARING,
            "flavorFungibility": _object(
                {
                    "preference": _words("BorrowingOverPreemption", "PreemptionOverBorrowing"),
                    "whenCanBorrow": when_can_borrow,
                    "whenCanPreempt": when_can_preempt,
                },
                default={},
            ),
            "namespaceSelector": {"type": "object"},
            "preemption": _object(
                {
                    "borrowWithinCohort": _object(
                        {"policy": _words("Never", "LowerPriority", default="Never")}, default={}
                    ),
                    "reclaimWithinCohort": _words("Never", "LowerPriority", "Any", default="Never"),
                    "withinClusterQueue": _words(
                        "Never", "LowerPriority", "LowerOrNewerEqualPriority", default="Never"
                    ),
                },
                default={},
            ),
            "queueingStrategy": _words("StrictFIFO", "BestEffortFIFO", default="BestEffortFIFO"),
            "resourceGroups": _RESOURCE_GROUPS,
            "stopPolicy": _STOP_POLICY,
        }
    )


_LOCAL_QUEUE = _object({"clusterQueue": _NAME, "fairSharing": _FAIR_SHARING, "stopPolicy": _STOP_POLICY})

_COHORT = _object({"parentName": _NAME, "fairSharing": _FAIR_SHARING, "resourceGroups": _RESOURCE_GROUPS})

_FLAVOR = _object(
    {
        "nodeLabels": {"type": "object", "maxProperties": 8},
        "nodeTaints": _list(_object({"key": _TEXT, "value": _TEXT, "effect": _TEXT}, "effect", "key"), 8),
        "tolerations": _list({"type": "object"}, 8),
        "topologyName": _NAME,
    }
)

_OBJECT: Schema = {"type": "object"}
_CONTAINERS: Schema = {
    "type": "array",
    "items": _object({"resources": _object({"requests": _OBJECT, "limits": _OBJECT})}),
}
_TEMPLATE = _object(
    {
        "metadata": _object({"labels": _OBJECT, "annotations": _OBJECT}),
        "spec": _object(
            {
                "containers": _CONTAINERS,
                "initContainers": _CONTAINERS,
                "nodeSelector": _OBJECT,
                "affinity": _OBJECT,
                "overhead": _OBJECT,
                "tolerations": {"type": "array", "items": _OBJECT},
            }
        ),
    }
)
"""The skeleton of a pod template: what may be in it beyond that is not looked at."""

_POD_SET = _object(
    {
        "name": {"type": "string", "default": "main", "maxLength": 63, "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
        "count": {**_INT32, "default": 1, "minimum": 0},
        "minCount": {**_INT32, "minimum": 1},
        "template": _TEMPLATE,
    },
    "template",
)

_CLASS_REFERENCE = _object(
    {
        "group": _words("kueue.x-k8s.io", "scheduling.k8s.io"),
        "kind": _words("WorkloadPriorityClass", "PriorityClass"),
        "name": _NAME,
    },
    "group",
    "kind",
    "name",
)
_CLASS_SOURCES = ("kueue.x-k8s.io/workloadpriorityclass", "scheduling.k8s.io/priorityclass", "")


def _workload(priority_class: Mapping[str, Schema]) -> Schema:
    return _object(
        {
            "active": {"type": "boolean", "default": True},
            "maximumExecutionTimeSeconds": {"type": "integer", "minimum": 1},
            "podSets": _list(_POD_SET, 18, least=1, keys=("name",)),
            "priority": _INT32,
            "queueName": _NAME,
            **priority_class,
        }
    )


_NEXT = "TryNextFlavor"
_STOP = "MayStopSearch"
_BOTH_VERSIONS: Mapping[str, Schema] = {
    "LocalQueue": _LOCAL_QUEUE,
    "Cohort": _COHORT,
    "ResourceFlavor": _FLAVOR,
}
_SPECS: Mapping[str, Mapping[str, Schema]] = {
    "v1beta2": {
        "ClusterQueue": _cluster_queue(
            "cohortName", _words(_STOP, _NEXT, default=_STOP), _words(_STOP, _NEXT, default=_NEXT)
        ),
        "Workload": _workload({"priorityClassRef": _CLASS_REFERENCE}),
    },
    "v1beta1": {
        "ClusterQueue": _cluster_queue(
            "cohort",
            _words(_STOP, _NEXT, "Borrow", default=_STOP),
            _words(_STOP, _NEXT, "Preempt", default=_NEXT),
        ),
        "Workload": _workload({"priorityClassName": _NAME, "priorityClassSource": _words(*_CLASS_SOURCES)}),
    },
    "v1beta1 alone": {
        "ClusterQueue": _cluster_queue(
            "cohort", _words("Borrow", _NEXT, default="Borrow"), _words("Preempt", _NEXT, default=_NEXT)
        ),
        "Workload": _workload({"priorityClassName": _NAME, "priorityClassSource": _words(*_CLASS_SOURCES)}),
    },
}
_PRIORITY_CLASS = _object({"value": _INT32, "description": _TEXT}, "value")


def schema_of(kind: str, version: str, served: Collection[str]) -> Schema | None:
    """The schema of a kind in one of the versions that are served; None where there is none here."""
    if kind == "WorkloadPriorityClass":
        return _PRIORITY_CLASS
    specs = _SPECS.get("v1beta1 alone" if version == "v1beta1" and "v1beta2" not in served else version, {})
    spec = specs.get(kind) or _BOTH_VERSIONS.get(kind)
    return None if spec is None else _object({"spec": spec})
