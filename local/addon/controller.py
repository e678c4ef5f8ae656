"""Kueue's controller in Kubernetes: namespace, configuration, deployment, webhook service and its endpoints.

The image's repository is made up; its tag is Kueue's version.
"""

from local.addon.definitions import Manifest
from local.addon.releases import Kueue

NAMESPACE = "kueue-system"
DEPLOYMENT = "kueue-controller-manager"
SERVICE = "kueue-webhook-service"
CONFIGURATION = "kueue-manager-config"
SLICE = f"{SERVICE}-x7k2p"
CONTAINER = "manager"
_LABELS = {"app.kubernetes.io/name": "kueue", "control-plane": "controller-manager"}


def namespace() -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": dict(_LABELS)}}


def configuration(kueue: Kueue) -> Manifest:
    """The configuration that the add-on ships (user guide, "Setup for task governance")."""
    text = _CONFIGURATION.format(api=kueue.apis[-1])
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(CONFIGURATION),
        "data": {"controller_manager_config.yaml": text},
    }


def deployment(kueue: Kueue) -> Manifest:
    container = {
        "name": CONTAINER,
        "image": f"hyperpod-task-governance/kueue:v{kueue.version}",
        "args": ["--config=/controller_manager_config.yaml"],
        "ports": [{"containerPort": 9443, "name": "webhook-server", "protocol": "TCP"}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(DEPLOYMENT),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": dict(_LABELS)},
            "template": {
                "metadata": {"labels": dict(_LABELS)},
                "spec": {"serviceAccountName": DEPLOYMENT, "containers": [container]},
            },
        },
    }


def deployment_status(available: bool, generation: int) -> Manifest:
    """A status as a merge patch: Kubernetes leaves counts of nothing out."""
    return {
        "observedGeneration": generation,
        "replicas": 1,
        "updatedReplicas": 1,
        "readyReplicas": 1 if available else None,
        "availableReplicas": 1 if available else None,
        "unavailableReplicas": None if available else 1,
        "conditions": [
            {
                "type": "Available",
                "status": "True" if available else "False",
                "reason": "MinimumReplicasAvailable" if available else "MinimumReplicasUnavailable",
                "message": f"Deployment {'has' if available else 'does not have'} minimum availability.",
            },
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": ""},
        ],
    }


def service() -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(SERVICE),
        "spec": {
            "type": "ClusterIP",
            "selector": dict(_LABELS),
            "ports": [{"port": 443, "protocol": "TCP", "targetPort": 9443}],
        },
    }


def endpoints(ready: bool) -> Manifest:
    """The slice of the webhook's service: one pod, which answers or does not."""
    endpoint = {
        "addresses": ["10.0.1.7"],
        "conditions": {"ready": ready, "serving": ready, "terminating": False},
    }
    metadata = _metadata(SLICE)
    metadata["labels"] = {**metadata["labels"], "kubernetes.io/service-name": SERVICE}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": "IPv4",
        "endpoints": [endpoint],
        "ports": [{"name": "", "port": 9443, "protocol": "TCP"}],
    }


def _metadata(name: str) -> Manifest:
    return {"name": name, "namespace": NAMESPACE, "labels": dict(_LABELS)}


_CONFIGURATION = """\
apiVersion: config.kueue.x-k8s.io/{api}
kind: Configuration
manageJobsWithoutQueueName: false
metrics:
  bindAddress: :8443
  enableClusterQueueResources: true
fairSharing:
  preemptionStrategies: [LessThanOrEqualToFinalShare, LessThanInitialShare]
clientConnection:
  qps: 50
  burst: 100
integrations:
  frameworks: [batch/job, kubeflow.org/mpijob, ray.io/rayjob, ray.io/raycluster, jobset.x-k8s.io/jobset, pod,
    deployment, statefulset]
  externalFrameworks: [HyperPodPyTorchJob.v1.sagemaker.amazonaws.com]
"""
