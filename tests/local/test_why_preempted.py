"""governor why in a local cluster with the add-on: one job of the workshop preempts the other; and who may see less."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from governor.aws.kubernetes import Kubernetes
from governor.aws.kubernetes.transport import Limits, Target, Transport
from governor.aws.workloads import Workloads
from governor.cli.screen import make_console
from governor.cli.show_why import show_why
from governor.cli.teams import Place, Teams
from governor.cli.why import answer
from governor.errors import ForbiddenError, NotInstalledError, UnauthorizedError
from governor.kueue.explaining import Explanation, State
from local.jobs import Jobs
from local.kubernetes.cluster import Cluster
from local.kubernetes.server import KubernetesServer
from local.kubernetes.users import User
from local.walkthrough import GPU, ONE_GPU, play
from tests.local.governed import NEWEST, OLD, OLDEST, TYPE, World
from tests.local.kubernetes.recorded import definitions

CONFIG = {
    "ComputeQuotaResources": [{"InstanceType": TYPE, "Count": 2}],
    "ResourceSharingConfig": {"Strategy": "LendAndBorrow", "BorrowLimit": 50},
    "PreemptTeamTasks": "LowerPriority",
}
_RBAC = "rbac.authorization.k8s.io"
CLASSES = [{"Name": "training", "Weight": 75}, {"Name": "experimentation", "Weight": 90}]


def why(cluster: Cluster, job: str, namespace: str = "", token: str | None = None, team: str = "") -> Explanation:
    target = Target(cluster.name, cluster.endpoint, cluster.certificate_pem)
    transport = Transport(target, lambda: token or cluster.admin_token, Limits(), sleep=lambda _: None)
    workloads = Workloads(lambda: Kubernetes(cluster.name, transport))
    teams = Teams(workloads.governed, tuple)
    return answer(workloads, job, teams.place(team) if team else Place(namespace), "ml-research", teams)


@pytest.fixture(params=[NEWEST, OLD, OLDEST])
def workshop(bare: World, request: pytest.FixtureRequest) -> World:
    """Two teams with two instances each, which may borrow half as much again, on each release of the add-on."""
    bare.install(request.param)
    for team in ("team-a", "team-b"):
        quota_id = bare.create(team)
        bare.settled(quota_id)
        bare.update(quota_id, ComputeQuotaConfig=CONFIG)
    bare.settled(bare.create_policy(PriorityClasses=CLASSES))
    return bare


def test_the_workshops_jobs_say_who_preempted_them(workshop: World, capsys: pytest.CaptureFixture[str]) -> None:
    with Jobs.of_cluster(workshop.kubernetes) as jobs:
        play(jobs, ONE_GPU, lambda _, holds: None, lambda _: None)
        reclaimed, preempted = (why(workshop.kubernetes, job) for job in ("imagenet-a", "team-b/mnist-b"))
        admitted = why(workshop.kubernetes, "job/imagenet-b")
        of_a_team = why(workshop.kubernetes, "imagenet-a", team="team-a")

    assert (reclaimed.state, reclaimed.job.team, reclaimed.total[GPU]) == (State.PREEMPTED, "team-a", "3")
    assert reclaimed.preemption is not None
    assert reclaimed.preemption.by is not None
    assert (reclaimed.preemption.by.name, reclaimed.preemption.reason) == ("mnist-b", "InCohortReclamation")
    assert reclaimed.preemption.words == "team-b took back quota of its own, which team-a had borrowed"
    assert [(each.kind, each.words) for each in reclaimed.reasons] == [
        ("unusedQuota", "1 more nvidia.com/gpu has to become free")
    ]
    assert reclaimed.reasons[0].remedies[1] == (
        "or ask for no more than 2 nvidia.com/gpu: that is team-a's own, taken back from those who borrow it"
    )
    assert reclaimed.users is not None
    assert (reclaimed.users.number, [each.team for each in reclaimed.neighbours]) == (0, ["team-b"])

    assert preempted.preemption is not None
    assert preempted.preemption.by is not None
    assert (preempted.preemption.by.name, preempted.preemption.by_priority) == ("imagenet-b", 90)
    assert preempted.preemption.reason == "InClusterQueue"
    assert preempted.users is not None
    assert [(each.job.name, each.holds[TYPE][GPU]) for each in preempted.users.first] == [("imagenet-b", "2")]
    assert {"Preempted", "Stopped", "QuotaReserved"} <= {each.reason for each in preempted.events}

    assert (of_a_team.job, of_a_team.unseen) == (reclaimed.job, ())
    assert (admitted.state, admitted.preemption) == (State.ADMITTED, None)
    show_why(make_console(), reclaimed, "ml-research", datetime.now(UTC))
    assert re.search(r"by Job mnist-b of team-b \(priority 75\): team-b took back quota", capsys.readouterr().out)


def test_where_kueue_is_not(bare: World) -> None:
    with pytest.raises(
        NotInstalledError, match=r"does not serve kueue.*amazon-sagemaker-hyperpod-taskg.*governor addon"
    ):
        why(bare.kubernetes, "anything")


def test_who_may_read_one_namespace_only(kubernetes_server: KubernetesServer) -> None:
    """As a data scientist whose role is bound in the namespace of a team."""
    cluster = kubernetes_server.add_cluster("of-a-team", tokens={"of-a-user": User("somebody", ())})
    namespace, user = "hyperpod-ns-vision", {"apiGroup": _RBAC, "kind": "User", "name": "somebody"}
    rules = [
        {"apiGroups": ["kueue.x-k8s.io"], "resources": ["workloads", "localqueues"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["list"]},
    ]
    role = {"apiGroup": _RBAC, "kind": "Role", "name": "reader"}
    waiting = {
        "type": "QuotaReserved",
        "status": "False",
        "reason": "Inadmissible",
        "message": "LocalQueue q doesn't exist",
    }
    cluster.load(
        [
            *definitions(),
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
            _manifest(f"{_RBAC}/v1", "Role", "reader", namespace, rules=rules),
            _manifest(f"{_RBAC}/v1", "RoleBinding", "readers", namespace, roleRef=role, subjects=[user]),
            _manifest("kueue.x-k8s.io/v1beta2", "Workload", "train", namespace, status={"conditions": [waiting]}),
        ]
    )
    with pytest.raises(ForbiddenError, match="which: --team or --namespace"):
        why(cluster, "train", token="of-a-user")
    found = why(cluster, "train", namespace, "of-a-user")
    assert (found.state, found.events) == (State.QUEUE_MISSING, ())
    assert [each.split(":")[0] for each in found.unseen] == [
        "workloads of other namespaces",
        "ClusterQueues, and so who else is in the cohort",
    ]
    by_name = why(cluster, "train", token="of-a-user", team="vision")
    assert (by_name.state, by_name.unseen[1:]) == (found.state, found.unseen)
    assert by_name.unseen[0].startswith("namespaces of teams: hyperpod-ns-vision is taken for that of team 'vision'")
    with pytest.raises(UnauthorizedError, match="does not know this role"):
        why(cluster, "train", namespace, "of-nobody")


def _manifest(api: str, kind: str, name: str, namespace: str, **members: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **members}
