"""What Kueue calls things: its resources, labels, finalizer and the pieces of its installation."""

from local.kubernetes.errors import GroupResource
from local.kubernetes.resources import GroupVersionResource

GROUP = "kueue.x-k8s.io"
HUB = f"{GROUP}/v1beta2"
"""The version in which objects are looked at here, whatever they are stored in."""
IN_USE = f"{GROUP}/resource-in-use"
"""The finalizer of everything that Kueue still needs."""
QUEUE_NAME = f"{GROUP}/queue-name"
PRIORITY_CLASS = f"{GROUP}/priority-class"
JOB_UID = f"{GROUP}/job-uid"

SYSTEM_NAMESPACE = "kueue-system"
DEPLOYMENT = "kueue-controller-manager"
SERVICE = "kueue-webhook-service"
CONFIGURATION = "kueue-manager-config"
UNMANAGED_NAMESPACES = frozenset({"kube-system", SYSTEM_NAMESPACE})
"""Where Kueue's webhooks for jobs do not look."""

CLUSTER_QUEUES = GroupResource(GROUP, "clusterqueues")
LOCAL_QUEUES = GroupResource(GROUP, "localqueues")
COHORTS = GroupResource(GROUP, "cohorts")
FLAVORS = GroupResource(GROUP, "resourceflavors")
PRIORITY_CLASSES = GroupResource(GROUP, "workloadpriorityclasses")
WORKLOADS = GroupResource(GROUP, "workloads")
JOBS = GroupResource("batch", "jobs")
NAMESPACES = GroupResource("", "namespaces")
CONFIG_MAPS = GroupResource("", "configmaps")
DEPLOYMENTS = GroupResource("apps", "deployments")
SERVICES = GroupResource("", "services")
ENDPOINT_SLICES = GroupResource("discovery.k8s.io", "endpointslices")
DEFINITIONS = GroupResource("apiextensions.k8s.io", "customresourcedefinitions")

JOB_PLACE = GroupVersionResource("batch", "v1", "jobs")
EVENT_PLACE = GroupVersionResource("", "v1", "events")
