"""A cluster whose add-on a test is about: with something wrong from the beginning, and looked at in every way."""

import contextlib
import functools
import io
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.loaders
import pytest

from governor.addon.versions import ADDON
from governor.aws.kubernetes.resources import KUEUE as GROUP
from governor.aws.kueue import CONTROLLER
from governor.cli.deployment import POLICIES_VARIABLE, RECORDS_VARIABLE
from governor.cli.main import main
from governor.records.announcing import ADDON_DETAIL_TYPE, SOURCE
from local.aws.launcher import wait_for
from local.clusters import KUBERNETES_VERSION, install_addon, let_in, make_cluster
from local.deployment import Deployment
from local.kubernetes.client import RemoteCluster
from tests.support.place import Place

TYPE = "ml.g5.8xlarge"
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
_create_loader = functools.cache(botocore.loaders.create_loader)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Shown:
    """What a command printed, and its exit status."""

    status: int
    text: str


class AddonPlace(Place):
    """A cluster of a test's own, by default a sound one without the add-on."""

    def __init__(
        self,
        deployment: Deployment,
        addon: str | None = None,
        *,
        instances: int = 4,
        version: str = KUBERNETES_VERSION,
        mode: str = "API_AND_CONFIG_MAP",
        is_let_in: bool = True,
    ) -> None:
        self.deployment = deployment
        self.name = f"addon-{next(_numbers)}"
        self.key = f"policies/{self.name}.yaml"
        self.arn = make_cluster(self.aws, self.name, {TYPE: instances}, version=version, mode=mode)
        if is_let_in:
            self.let_in()
        if addon is not None:
            install_addon(self.aws, self.name, addon)

    @property
    def id(self) -> str:
        """What its documents are named after."""
        return self.arn.rpartition("/")[2]

    @property
    def kubernetes(self) -> RemoteCluster:
        """Its own API."""
        return self.aws.kubernetes.cluster(self.name)

    def let_in(self) -> None:
        """Access entries, ClusterRole and binding for the functions."""
        let_in(self.aws, self.name, self.deployment.reader_arns())

    def installed(self) -> tuple[str, str] | None:
        """Version and status of the add-on, as EKS describes it; None where it is not there."""
        eks = self.aws.client("eks")
        try:
            found = eks.describe_addon(clusterName=self.name, addonName=ADDON)["addon"]
        except eks.exceptions.ResourceNotFoundException:
            return None
        return found["addonVersion"], found["status"]

    def updates(self) -> int:
        """How often somebody has begun an update of the add-on."""
        return len(self.aws.client("eks").list_updates(name=self.name, addonName=ADDON)["updateIds"])

    def after_resync(self, verdict: str) -> dict[str, Any]:
        """The status document of the run that the tick of every five minutes leads to."""
        before = self.deployment.status(self.key) or {}
        self.deployment.resync()

        def look() -> dict[str, Any] | None:
            status = self.deployment.status(self.key)
            if status is None or status["verdict"] != verdict:
                return None
            return status if status["run"]["number"] > before["run"]["number"] else None

        return wait_for(look, 30)

    def seen(self) -> dict[str, Any]:
        """What verify_addon wrote down."""
        found = self.deployment.document(f"clusters/{self.id}/addon.json")
        assert found is not None
        return found

    def begin_show(self, *options: str) -> "subprocess.Popen[str]":
        """``governor addon CLUSTER``, begun: the installed command, on a screen wide enough for every line."""
        environment = {**os.environ, **self.aws.env(), "GOVERNOR_STACK": self.deployment.stack, "COLUMNS": "1000"}
        command = [str(Path(sys.executable).parent / "governor"), "addon", self.name, *options]
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
        )

    def show(self) -> Shown:
        """The same, ended."""
        return ended(self.begin_show())

    def report(self, cluster: str = "") -> tuple[int, dict[str, Any]]:
        """Exit status and document of ``governor addon CLUSTER --json``, quicker: in this process, where the SDK reads
        its models once, and without the stack being asked for its buckets."""
        printed = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
            buckets = {POLICIES_VARIABLE: self.deployment.policies, RECORDS_VARIABLE: self.deployment.records}
            for name, value in {**self.aws.env(), **buckets}.items():
                patch.setenv(name, value)
            patch.setattr("botocore.session.create_loader", _create_loader)
            status = main(["addon", cluster or self.name, "--json"])
        return status, json.loads(printed.getvalue())

    def accept(self, text: str) -> str:
        """Upload a policy until it is in force; its version. The writer begins to work on it."""
        version = self.deployment.upload(self.key, text)
        wait_for(lambda: self.deployment.document(self._in_force))
        return version

    def forget(self) -> None:
        """No later look takes part in it: the hourly one begins with what is in force."""
        self.aws.client("s3").delete_object(Bucket=self.deployment.records, Key=self._in_force)

    @property
    def _in_force(self) -> str:
        return f"clusters/{self.id}/in-force.json"

    def agreed(self) -> dict[str, Any]:
        """What a person is shown now, which verify_addon has written down as well."""
        status, shown = self.report()
        seen = self.seen()
        assert (shown.pop("lastVerified"), shown.pop("deployment")) == (seen, "read")
        assert _without_requests(seen["report"]) == _without_requests(shown)
        assert status == (0 if shown["healthy"] else 1)
        return shown

    def metric(self, name: str) -> float | None:
        """The highest value of a metric of this cluster; None where it has none."""
        now = datetime.now(UTC)
        points = self.aws.client("cloudwatch").get_metric_statistics(
            Namespace="HyperPodGovernor",
            MetricName=name,
            Dimensions=[{"Name": "cluster", "Value": self.name}, {"Name": "service", "Value": self.deployment.stack}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=86400,
            Statistics=["Maximum"],
        )["Datapoints"]
        return points[0]["Maximum"] if points else None

    def listener(self) -> Callable[[], list[dict[str, Any]]]:
        """Details of the events about this cluster's add-on so far, from a queue of its own."""
        sqs, events, name = self.aws.client("sqs"), self.aws.client("events"), f"heard-{self.name}"
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        pattern = {"source": [SOURCE], "detail-type": [ADDON_DETAIL_TYPE], "detail": {"cluster": [self.name]}}
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
        heard: list[dict[str, Any]] = []

        def listen() -> list[dict[str, Any]]:
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ()):
                heard.append(json.loads(message["Body"])["detail"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return heard

        return listen


def _without_requests(report: Mapping[str, Any]) -> Any:
    return json.loads(re.sub(r"request [-0-9a-f]{36}", "request", json.dumps(report)))


def ended(process: "subprocess.Popen[str]") -> Shown:
    """What came of a command that was begun."""
    with process:
        text, _ = process.communicate(timeout=60)
    return Shown(process.returncode, _ESCAPES.sub("", text))


def kueue_of_somebody(namespace: str) -> list[dict[str, Any]]:
    """A controller as a Helm chart leaves it."""
    metadata = {"name": CONTROLLER, "namespace": namespace}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": 1}},
    ]


def definition_of_somebody() -> dict[str, Any]:
    """What is left of a Kueue that was uninstalled by half."""
    names = {"plural": "clusterqueues", "singular": "clusterqueue", "kind": "ClusterQueue", "listKind": "ClusterQueues"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1beta1", "served": True, "storage": True, "schema": schema}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"clusterqueues.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Cluster", "names": names, "versions": [version]},
        "status": {"storedVersions": ["v1beta1"]},
    }
