"""What tests ask of the local EKS: add-ons in any state, transitions that fail or wait, another catalogue."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from local.addon import writer
from local.aws.runner import eks_addons
from local.aws.runner.addon_versions import KUBERNETES, TASK_GOVERNANCE, catalogue
from local.aws.runner.eks_addon_orders import Issue, Outcome, orders
from local.aws.runner.eks_kubernetes import objects_of
from local.aws.runner.eks_routes import EksError, Json, cluster_record
from local.aws.runner.eks_transitions import transitions
from local.aws.runner.tenancy import our_account

STATUSES = ("CREATING", "ACTIVE", "CREATE_FAILED", "UPDATING", "DELETING", "DELETE_FAILED", "DEGRADED", "UPDATE_FAILED")

Route = Callable[[Json], Json]


def _state(body: Json) -> Json:
    """Put an add-on that is there into a state; Kubernetes is left as it is."""
    record = eks_addons.find(body["cluster"], _name(body))
    status = body.get("status") or record["status"]
    if status not in STATUSES:
        raise ValueError(f"{status} is none of {', '.join(STATUSES)}.")
    issues = record["health"]["issues"] if body.get("issues") is None else body["issues"]
    record["addonVersion"] = body.get("version") or record["addonVersion"]
    eks_addons.settle(record, Outcome(status, tuple(map(Issue.read, issues))))
    return {"addon": eks_addons.shown(record)}


def _next(body: Json) -> Json:
    outcome = Outcome(body["status"], tuple(map(Issue.read, body.get("issues") or ())))
    orders.add(body["cluster"], _name(body), body["operation"], outcome)
    return {}


def _controller(body: Json) -> Json:
    objects = objects_of(cluster_record(body["cluster"]))
    if objects is None:
        raise ValueError(f"{body['cluster']} has no Kubernetes.")
    writer.set_controller(objects, available=body["available"], webhook=body["webhook"])
    return {}


def _hold(body: Json) -> Json:
    """From now on, until it is released; also before there is such an add-on."""
    transitions.hold(_subject(body))
    return {}


def _release(body: Json) -> Json:
    transitions.release(_subject(body))
    return {}


def _catalogue(body: Json) -> Json:
    name = _name(body)
    if "offer" in body:
        catalogue.offer(name, body["offer"], tuple(body.get("kubernetes") or KUBERNETES))
    if "withdraw" in body:
        catalogue.withdraw(name, body["withdraw"])
    if "default" in body:
        catalogue.make_default(name, body["default"])
    return {}


def _cluster(body: Json) -> Json:
    """What EKS says of a cluster; its Kubernetes is left as it is."""
    record = cluster_record(body["cluster"])
    record.update({name: body[name] for name in ("status", "version") if body.get(name)})
    return {}


def _subject(body: Json) -> tuple[str, str]:
    return cluster_record(body["cluster"])["arn"], _name(body)


def _name(body: Json) -> str:
    name: str = body.get("addon") or TASK_GOVERNANCE
    return name


def _ours(route: Route) -> Route:
    """Outside a request nothing says which account and Region are meant."""

    def answer(body: Json) -> Json:
        with our_account():
            try:
                return route(body)
            except (EksError, LookupError) as error:
                raise ValueError(str(error)) from error

    return answer


EKS_ROUTES: Mapping[str, Route] = MappingProxyType(
    {
        "POST eks/addons/state": _ours(_state),
        "POST eks/addons/next": _ours(_next),
        "POST eks/addons/controller": _ours(_controller),
        "POST eks/addons/hold": _ours(_hold),
        "POST eks/addons/release": _ours(_release),
        "POST eks/catalogue": _ours(_catalogue),
        "POST eks/clusters/state": _ours(_cluster),
    }
)
