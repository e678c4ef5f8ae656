"""What one pod requests, and where it may run, is what Kueue makes of its template."""

from typing import Any

import pytest

from governor.kueue import reading
from governor.kueue.objects import PodSet, Requirement, Selector, Toleration

MI = 1024**2
GPU: dict[str, Any] = {"nvidia.com/gpu": 1}


def _pod_set(spec: dict[str, Any], **members: Any) -> PodSet:
    manifest = {
        "metadata": {"name": "w", "namespace": "team"},
        "spec": {"podSets": [{"template": {"spec": spec}, **members}]},
    }
    (found,) = reading.workload(manifest).pod_sets
    return found


def _container(always: bool = False, limits: dict[str, Any] | None = None, **requests: Any) -> dict[str, Any]:
    resources = {"requests": requests, **({"limits": limits} if limits else {})}
    return {"name": "c", "resources": resources, **({"restartPolicy": "Always"} if always else {})}


CASES: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "containers add up": (
        {"containers": [_container(cpu="1", memory="10Mi"), _container(cpu="500m")]},
        {"cpu": 1500, "memory": 10 * MI},
    ),
    "they are rounded up once, together": (
        {"containers": [_container(cpu="0.5m", memory="0.5"), _container(cpu="0.5m", memory="0.5")]},
        {"cpu": 1, "memory": 1},
    ),
    "a limit stands for a request that is missing": (
        {"containers": [_container(limits={"cpu": "4", "memory": "20Mi"}, cpu="1")]},
        {"cpu": 1000, "memory": 20 * MI},
    ),
    "a request of 0 is not missing": ({"containers": [_container(limits={"cpu": "4"}, cpu=0)]}, {"cpu": 0}),
    "of init containers the most counts, if it is more": (
        {
            "containers": [_container(cpu="2", memory="1Mi")],
            "initContainers": [_container(cpu="1", memory="4Mi"), _container(cpu="500m", memory="3Mi")],
        },
        {"cpu": 2000, "memory": 4 * MI},
    ),
    "what only an init container requests": (
        {"containers": [_container(cpu="1")], "initContainers": [_container(memory="4Mi")]},
        {"cpu": 1000, "memory": 4 * MI},
    ),
    "a sidecar stays beside the containers": (
        {"containers": [_container(cpu="2")], "initContainers": [_container(always=True, cpu="1")]},
        {"cpu": 3000},
    ),
    "an init container runs beside the sidecars before it": (
        {
            "containers": [_container(cpu="1")],
            "initContainers": [
                _container(cpu="5"),
                _container(always=True, cpu="2"),
                _container(cpu="4"),
                _container(always=True, cpu="1"),
            ],
        },
        {"cpu": 6000},
    ),
    "the overhead comes on top": (
        {"containers": [_container(cpu="1")], "initContainers": [_container(cpu="2")], "overhead": {"cpu": "250m"}},
        {"cpu": 2250},
    ),
    "requests of the pod replace those of its containers": (
        {
            "containers": [_container(cpu="1", memory="1Mi", **GPU)],
            "resources": {"requests": {"cpu": "3", "nvidia.com/gpu": 8}, "limits": {"memory": "7Mi"}},
            "overhead": {"cpu": "1"},
        },
        {"cpu": 4000, "memory": 7 * MI, "nvidia.com/gpu": 1},
    ),
    "a negative request counts as none": (
        {"containers": [_container(cpu="-1", memory="1Mi")]},
        {"cpu": 0, "memory": MI},
    ),
    "nothing is requested": ({"containers": [{"name": "c", "resources": {}}, {"name": "d"}]}, {}),
    "there is no container": ({}, {}),
    "more than can be counted": ({"containers": [_container(cpu="1E"), _container(cpu="1E")]}, {"cpu": 2**63 - 1}),
}


@pytest.mark.parametrize(("spec", "requests"), CASES.values(), ids=CASES)
def test_requests_of_one_pod(spec: dict[str, Any], requests: dict[str, int]) -> None:
    assert _pod_set(spec).requests == requests


def test_a_pod_set_that_says_nothing_is_one_pod_called_main() -> None:
    assert _pod_set({}) == PodSet("main", 1, {})


def test_no_pods_are_a_pod_set_too() -> None:
    assert _pod_set({}, name="workers", count=0) == PodSet("workers", 0, {})


def test_partial_admission_is_seen() -> None:
    assert _pod_set({}, count=4, minCount=2).min_count == 2


@pytest.mark.parametrize(
    ("request_", "asks"),
    [
        ({"required": "cloud.provider.com/rack"}, True),
        ({"preferred": "cloud.provider.com/rack"}, True),
        ({"unconstrained": True}, True),
        ({"podSetSliceRequiredTopology": "cloud.provider.com/rack", "podSetSliceSize": 2}, True),
        ({"podsetSliceRequiredTopologyConstraints": [{"topology": "rack", "size": 2}]}, True),
        ({"unconstrained": False}, False),
        ({"podIndexLabel": "batch.kubernetes.io/job-completion-index"}, False),
        (None, False),
    ],
)
def test_a_topology_is_asked_for(request_: dict[str, Any] | None, asks: bool) -> None:
    assert _pod_set({}, topologyRequest=request_).topology is asks


def test_where_a_pod_may_run() -> None:
    found = _pod_set(
        {
            "nodeSelector": {"zone": "a"},
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [
                            {"matchExpressions": [{"key": "type", "operator": "In", "values": ["x", "y"]}]},
                            {"matchExpressions": [{"key": "gpu", "operator": "Exists"}]},
                            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]},
                        ]
                    },
                    "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {}}],
                }
            },
            "tolerations": [{"key": "k", "value": "v"}, {"operator": "Exists", "effect": "NoSchedule"}],
        }
    )
    assert found.node_selector == {"zone": "a"}
    assert found.affinity == (
        Selector((Requirement("type", "In", ("x", "y")),)),
        Selector((Requirement("gpu", "Exists"),)),
        Selector(),
    )
    assert found.tolerations == (Toleration("k", "Equal", "v"), Toleration("", "Exists", "", "NoSchedule"))


@pytest.mark.parametrize("affinity", [None, {}, {"nodeAffinity": {}}, {"podAffinity": {"x": []}}])
def test_no_node_affinity_is_required(affinity: Any) -> None:
    assert _pod_set({"affinity": affinity}).affinity == ()
