"""The Kubernetes clusters behind EKS clusters: made and removed at the local Kubernetes API's admin endpoint."""

import contextlib
import json
import os
import threading
from typing import Any

import urllib3

from local.addon.objects import KubernetesError, Objects
from local.aws.runner.eks_routes import Json

ANSWER_SECONDS = 30

_pool = urllib3.PoolManager(timeout=ANSWER_SECONDS, retries=False)
_lock = threading.Lock()
_objects: dict[str, Objects] = {}


def make_cluster(api: str, cluster: Json) -> tuple[str, str]:
    """A Kubernetes cluster that asks EKS who a token belongs to; its endpoint and certificate authority.

    Raises KubernetesError.
    """
    arn, name = cluster["arn"], cluster["name"]
    region, account = arn.split(":")[3:5]
    gateway = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}/_ministack/eks-auth"
    made = _ask(
        "POST",
        f"{api}/_admin/clusters",
        {
            "name": name,
            "version": cluster["version"],
            "webhook": f"{gateway}/{account}/{region}/{name}/{cluster['_auth_token']}",
            "tokens": {},
        },
    )
    endpoint, authority = made["endpoint"], made["certificateAuthority"]
    with _lock:
        _objects[arn] = Objects(endpoint, authority, made["adminToken"])
    return endpoint, authority


def remove_cluster(api: str, cluster: Json) -> None:
    """End the Kubernetes cluster, if there is one."""
    with _lock:
        objects = _objects.pop(cluster["arn"], None)
    if objects is not None:
        objects.close()
        # A test may have ended it before.
        with contextlib.suppress(KubernetesError):
            _ask("DELETE", f"{api}/_admin/clusters/{cluster['name']}")


def tell_plane(plane: str, cluster: Json) -> None:
    """The add-on is there: the HyperPod control plane may write what it has for it."""
    if plane:
        # A control plane that does not answer writes it with the next change.
        with contextlib.suppress(KubernetesError):
            _ask("POST", f"{plane}/_admin/eks-clusters/{cluster['name']}/restore", {})


def objects_of(cluster: Json) -> Objects | None:
    """The objects of a cluster; None where no Kubernetes is behind it."""
    with _lock:
        return _objects.get(cluster["arn"])


def _ask(method: str, url: str, body: Json | None = None) -> Any:
    try:
        answer = _pool.request(method, url, body=None if body is None else json.dumps(body))
    except urllib3.exceptions.HTTPError as error:
        raise KubernetesError(0, str(error)) from error
    if answer.status >= 400:
        raise KubernetesError(answer.status, answer.data.decode(errors="replace"))
    return json.loads(answer.data or b"{}")
