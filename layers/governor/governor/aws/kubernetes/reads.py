"""What is read of Kubernetes, and the roles there that allow exactly that: this product changes nothing in it."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from governor.aws.kubernetes.answers import GROUP
from governor.aws.kubernetes.resources import (
    ALPHA_COHORTS,
    CLUSTER_QUEUES,
    COHORTS,
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    FLAVORS,
    LOCAL_QUEUES,
    NAMESPACES,
    NODES,
    WAITING_WORKLOADS,
    Resource,
)


class Read(msgspec.Struct, frozen=True):
    """One kind of read, of the whole cluster."""

    verb: Literal["get", "list"]
    resource: Resource[Any]
    why: str


READS = (
    Read("list", DEPLOYMENTS, "finds kueue-controller-manager, whoever installed it"),
    Read("list", NODES, "nodes that are ready, and what they have"),
    Read("list", CUSTOM_RESOURCE_DEFINITIONS, "the definitions of Kueue and their stored versions"),
    Read("get", DEPLOYMENTS, "whether Kueue's controller is available"),
    Read("list", ENDPOINT_SLICES, "whether Kueue's webhook answers"),
    Read("list", NAMESPACES, "namespaces of teams, by their labels"),
    Read("list", CLUSTER_QUEUES, "quota, and what is used of it"),
    Read("list", LOCAL_QUEUES, "which namespace leads to which queue"),
    Read("list", COHORTS, "who lends to whom"),
    Read("list", ALPHA_COHORTS, "who lends to whom"),
    Read("list", FLAVORS, "which nodes a quota is about"),
    Read("list", WAITING_WORKLOADS, "since when the oldest workload waits"),
)
"""All that is read. Who reads more adds it here: a test compares this with the calls, the roles are made of it."""


def roles(reads: Iterable[Read] = READS) -> str:
    """YAML for ``kubectl apply -f -``: a ClusterRole and its binding to our group.

    Not a Role in ``kueue-system`` for what is read there only: that namespace comes with the add-on, and what has to be
    seen before the add-on is installed has to be allowed before.
    """
    rules = dict.fromkeys(  # a resource that is read in two versions is one rule
        f'  - apiGroups: ["{read.resource.group}"]  # {read.why}\n'
        f'    resources: ["{read.resource.plural}"]\n'
        f'    verbs: ["{read.verb}"]\n'
        for read in reads
    )
    return f"""\
# What HyperPod Governor reads of this cluster. It changes nothing here, and it reads no Secrets.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {GROUP}
rules:
{"".join(rules)}---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {GROUP}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {GROUP}
subjects:
  - apiGroup: rbac.authorization.k8s.io
    kind: Group
    name: {GROUP}
"""
