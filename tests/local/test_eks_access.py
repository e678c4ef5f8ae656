"""Who gets into the Kubernetes of an EKS cluster: tokens, access entries and access policies, as with EKS."""

import datetime as dt
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.auth
import pytest

from local.addon.objects import KubernetesError, Objects
from local.aws.launcher import LocalAws
from tests.local.eks_support import ADMIN, kubernetes, make_cluster, token

POLICIES = "arn:aws:eks::aws:cluster-access-policy"
CLUSTER_WIDE = {"type": "cluster"}
Keys = Mapping[str, str]


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def cluster(aws: LocalAws) -> str:
    return make_cluster(aws)


@pytest.fixture(scope="module")
def role(aws: LocalAws) -> str:
    """The ARN of a function's role, which has a path."""
    return str(_function(aws)["Role"])


@pytest.fixture(scope="module")
def session(aws: LocalAws, role: str) -> Keys:
    """What the function's workers sign with."""
    keys: Keys = aws.admin("POST", "credentials", {"function": "reader"})
    return keys


def _function(aws: LocalAws) -> dict[str, Any]:
    service = {"Service": "lambda.amazonaws.com"}
    trust = {"Statement": [{"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}]}
    made = aws.client("iam").create_role(RoleName="reader", Path="/teams/", AssumeRolePolicyDocument=json.dumps(trust))
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return 1\n")
    arn = made["Role"]["Arn"]
    function: dict[str, Any] = aws.client("lambda").create_function(
        FunctionName="reader",
        Runtime="python3.11",
        Role=arn,
        Handler="index.handler",
        Code={"ZipFile": code.getvalue()},
    )
    return function


def answer(objects: Objects, kind: str = "Namespace") -> int:
    """The status of a list across the cluster."""
    try:
        objects.all(kind)
    except KubernetesError as refused:
        return refused.status
    return 200


def test_the_creator_may_do_everything(aws: LocalAws, cluster: str) -> None:
    objects = kubernetes(aws, cluster)
    assert answer(objects, "ClusterRole") == 200
    objects.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "made-by-the-creator"}})
    assert aws.client("eks").list_access_entries(clusterName=cluster)["accessEntries"] == [
        "arn:aws:iam::123456789012:root"
    ]


def test_a_role_gets_in_by_its_access_entry(aws: LocalAws, cluster: str, role: str, session: Keys) -> None:
    eks, objects = aws.client("eks"), kubernetes(aws, cluster, token(session, cluster))
    assert answer(objects) == 401
    eks.create_access_entry(clusterName=cluster, principalArn=role, kubernetesGroups=["readers"])
    assert answer(objects) == 403
    _let_group_read(kubernetes(aws, cluster), "readers")
    assert answer(objects) == 200
    assert answer(objects, "ConfigMap") == 403
    eks.delete_access_entry(clusterName=cluster, principalArn=role)
    assert answer(kubernetes(aws, cluster, token(session, cluster))) == 401


def test_a_user_gets_in_by_an_access_entry(aws: LocalAws, cluster: str) -> None:
    iam, eks = aws.client("iam"), aws.client("eks")
    arn = iam.create_user(UserName="person")["User"]["Arn"]
    key = iam.create_access_key(UserName="person")["AccessKey"]
    keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    objects = kubernetes(aws, cluster, token(keys, cluster))
    assert answer(objects) == 401
    eks.create_access_entry(clusterName=cluster, principalArn=arn)
    assert answer(objects) == 403


def test_tokens_that_do_not_count(
    aws: LocalAws, cluster: str, role: str, session: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For another cluster, signed for another host or by another secret, too old, or none at all."""
    other = make_cluster(aws)
    for name in (cluster, other):
        aws.client("eks").create_access_entry(clusterName=name, principalArn=role)
    assert answer(kubernetes(aws, cluster, token(session, cluster))) == 403
    forged = {**session, "AWS_SECRET_ACCESS_KEY": "guessed"}
    wrong = {
        "another cluster's": token(session, other),
        "for MiniStack": token(session, cluster, aws.url.removeprefix("http://")),
        "for another Region": token(session, cluster, "sts.us-east-1.amazonaws.com"),
        "for STS without a Region": token(session, cluster, "sts.amazonaws.com"),
        "of another secret": token(forged, cluster),
        "no token": "k8s-aws-v1.e30",
    }
    then = dt.datetime.now(dt.UTC).replace(tzinfo=None) - dt.timedelta(minutes=16)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: then)
    wrong["too old"] = token(session, cluster)
    refused = {name: answer(kubernetes(aws, cluster, bearer)) for name, bearer in wrong.items()}
    assert set(refused.values()) == {401}, refused


def test_a_policy_for_the_cluster(aws: LocalAws, cluster: str, role: str, session: Keys) -> None:
    eks, policy = aws.client("eks"), f"{POLICIES}/AmazonEKSAdminViewPolicy"
    eks.create_access_entry(clusterName=cluster, principalArn=role)
    eks.associate_access_policy(clusterName=cluster, principalArn=role, policyArn=policy, accessScope=CLUSTER_WIDE)
    objects = kubernetes(aws, cluster, token(session, cluster))
    assert (answer(objects, "CustomResourceDefinition"), answer(objects, "ClusterRole")) == (200, 200)
    with pytest.raises(KubernetesError, match="403"):
        objects.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "by-a-viewer"}})
    eks.disassociate_access_policy(clusterName=cluster, principalArn=role, policyArn=policy)
    assert answer(kubernetes(aws, cluster, token(session, cluster)), "CustomResourceDefinition") == 403


def test_a_policy_for_namespaces_holds_in_those_that_come_later(
    aws: LocalAws, cluster: str, role: str, session: Keys
) -> None:
    eks = aws.client("eks")
    eks.create_access_entry(clusterName=cluster, principalArn=role)
    eks.associate_access_policy(
        clusterName=cluster,
        principalArn=role,
        policyArn=f"{POLICIES}/AmazonEKSViewPolicy",
        accessScope={"type": "namespace", "namespaces": ["hyperpod-ns-*"]},
    )
    creator = kubernetes(aws, cluster)
    for name in ("hyperpod-ns-vision", "somewhere-else"):
        creator.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    objects = kubernetes(aws, cluster, token(session, cluster))
    assert objects.get("ConfigMap", "none", "hyperpod-ns-vision") is None
    with pytest.raises(KubernetesError, match="403"):
        objects.get("ConfigMap", "none", "somewhere-else")
    assert [each["metadata"]["namespace"] for each in creator.all("RoleBinding")] == ["hyperpod-ns-vision"]
    eks.delete_access_entry(clusterName=cluster, principalArn=role)
    assert creator.all("RoleBinding") == []


def test_an_entry_is_named_after_its_principal_and_has_tags(aws: LocalAws, cluster: str, role: str) -> None:
    eks = aws.client("eks")
    entry = eks.create_access_entry(clusterName=cluster, principalArn=role, tags={"team": "vision"})["accessEntry"]
    prefix = f"arn:aws:eks:us-west-2:123456789012:access-entry/{cluster}/role/123456789012/reader/"
    assert entry["accessEntryArn"].startswith(prefix)
    assert len(entry["accessEntryArn"].removeprefix(prefix)) == 36
    eks.tag_resource(resourceArn=entry["accessEntryArn"], tags={"cost": "42"})
    tags = eks.list_tags_for_resource(resourceArn=entry["accessEntryArn"])["tags"]
    assert tags == {"team": "vision", "cost": "42"}


def test_the_account_itself_is_no_way_around(aws: LocalAws, cluster: str) -> None:
    """Without its entry the creator is nobody, as with EKS."""
    aws.client("eks").delete_access_entry(clusterName=cluster, principalArn="arn:aws:iam::123456789012:root")
    assert answer(kubernetes(aws, cluster, token(ADMIN, cluster))) == 401


def _let_group_read(objects: Objects, group: str) -> None:
    rbac = "rbac.authorization.k8s.io"
    rules = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list"]}]
    objects.put({"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": {"name": "reading"}, "rules": rules})
    objects.put(
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "reading"},
            "subjects": [{"kind": "Group", "apiGroup": rbac, "name": group}],
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "reading"},
        }
    )
