"""The real product on the local AWS: built and deployed by the SAM CLI, used as its users do, through a bucket."""

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.aws.launcher import STACK, LocalAws, wait_for
from local.clusters import ADDON_VERSION, install_addon, let_in, make_cluster
from local.hyperpod.client import ROOT

BUILD = {
    "Runtime": f"python{sys.version_info.major}.{sys.version_info.minor}",
    "Architecture": "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64",
}
"""What the local AWS can run: the Python at hand on this machine."""
LOCAL_PARAMETERS = {"DeletionGraceSeconds": "2", "SliceSeconds": "30"}
"""Short, so that nobody waits; both are parameters of every deployment."""
READERS = ("ApplyPolicyRole", "VerifyAddonRole", "PublishMetricsRole")
FUNCTIONS = (
    "ReceivePolicyFunction",
    "ApplyPolicyFunction",
    "VerifyAddonFunction",
    "PublishMetricsFunction",
    "NotifyUsageFunction",
)
ON_THE_WAY = ("InProgress",)


class Deployment:
    """A deployed stack. Buckets are spoken to with plain boto3, as the administrator of the account."""

    def __init__(self, aws: LocalAws, outputs: Mapping[str, str], stack: str = STACK) -> None:
        self.aws, self.outputs, self.stack = aws, dict(outputs), stack
        self.policies, self.records = outputs["PoliciesBucketName"], outputs["RecordsBucketName"]

    def add_cluster(self, name: str, groups: Mapping[str, int], addon: str | None = ADDON_VERSION) -> str:
        """A HyperPod cluster with so many instances by type, which lets the functions in; its ARN.

        ``addon`` is the version of the task governance add-on that is there already; None for none.
        """
        arn = make_cluster(self.aws, name, groups)
        let_in(self.aws, name, self.reader_arns())
        if addon is not None:
            install_addon(self.aws, name, addon)
        return arn

    def reader_arns(self) -> list[str]:
        """The roles of the functions that read Kubernetes."""
        iam = self.aws.client("iam")
        names = [self.aws.physical_id(role, self.stack) for role in READERS]
        return [iam.get_role(RoleName=name)["Role"]["Arn"] for name in names]

    def verify_addons(self) -> dict[str, Any]:
        """The hourly look, now."""
        return self._invoke("VerifyAddonFunction", {"verify": True})["verified"]  # type: ignore[no-any-return]

    def publish_metrics(self) -> dict[str, Any]:
        """The tick of every minute, now."""
        return self._invoke("PublishMetricsFunction", {"publish": True})["published"]  # type: ignore[no-any-return]

    def function(self, name: str) -> str:
        """The physical name of one of ``FUNCTIONS``."""
        return self.aws.physical_id(name, self.stack)

    def upload(self, key: str, text: str | bytes, **metadata: str) -> str:
        """Put a file as a person does; its version."""
        body = text.encode() if isinstance(text, str) else text
        named = {name.replace("_", "-"): value for name, value in metadata.items()}
        answer = self.aws.client("s3").put_object(Bucket=self.policies, Key=key, Body=body, Metadata=named)
        version: str = answer["VersionId"]
        return version

    def delete(self, key: str) -> None:
        """Delete a file as a person does: a delete marker."""
        self.aws.client("s3").delete_object(Bucket=self.policies, Key=key)

    def resync(self) -> dict[str, Any]:
        """The tick of every five minutes, now."""
        return self._invoke("ReceivePolicyFunction", {"resync": True})["resync"]  # type: ignore[no-any-return]

    def _invoke(self, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.function(function), Payload=json.dumps(event).encode()
        )
        payload: dict[str, Any] = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise RuntimeError(f"{function} failed with {event}: {payload}")
        return payload

    def document(self, key: str) -> dict[str, Any] | None:
        """A document of the records bucket; None where there is none."""
        client = self.aws.client("s3")
        try:
            body = client.get_object(Bucket=self.records, Key=key)["Body"].read()
        except client.exceptions.NoSuchKey:
            return None
        found: dict[str, Any] = json.loads(body)
        return found

    def status(self, key: str) -> dict[str, Any] | None:
        """The status document of a file."""
        return self.document(f"status/{key}.json")

    def readable(self, key: str) -> str:
        """The same for people, which is written after the one for programs."""
        client, status = self.aws.client("s3"), self.status(key)
        least = status["revision"] if status else 0

        def look() -> str | None:
            found = client.get_object(Bucket=self.records, Key=f"status/{key}.md")
            text: bytes = found["Body"].read()
            return text.decode() if int(found["Metadata"].get("revision", "0")) >= least else None

        return wait_for(look, 10)

    def keys(self, prefix: str) -> list[str]:
        """What lies in the records bucket."""
        pages = self.aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.records, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def history(self, cluster_arn: str) -> list[dict[str, Any]]:
        """The history of a cluster, the oldest entry first."""
        keys = sorted(self.keys(f"history/{cluster_arn.rpartition('/')[2]}/"))
        return [entry for key in keys if (entry := self.document(key)) is not None]

    def wait(
        self, key: str, version: str | None = None, verdict: str | None = None, seconds: float = 60.0
    ) -> dict[str, Any]:
        """The status of a file once it is about this version and says something final, or this verdict."""

        def look() -> dict[str, Any] | None:
            status = self.status(key)
            if status is None or (version is not None and status["newest"]["origin"].get("version") != version):
                return None
            said = status["verdict"]
            return status if (said == verdict if verdict else said not in ON_THE_WAY) else None

        try:
            return wait_for(look, seconds, 0.05)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{json.dumps(self.status(key), indent=2)}\n{self.logs()}") from None

    def logs(self) -> str:
        """What the functions have printed."""
        return "\n".join(f"--- {name}\n{self.aws.logs(self.function(name))}" for name in FUNCTIONS)


@contextmanager
def deployed(
    parameters: Mapping[str, str] | None = None,
    directory: Path = ROOT,
    progress: Callable[[str], None] | None = None,
    **options: Any,
) -> Iterator[Deployment]:
    """A fresh local AWS with the product on it, built and deployed by the real SAM CLI."""
    os.environ |= {"GOVERNOR_RUNTIME": BUILD["Runtime"], "GOVERNOR_ARCHITECTURE": BUILD["Architecture"]}
    with LocalAws(progress=progress, **options) as aws:
        outputs = aws.build_and_deploy(directory, {**BUILD, **LOCAL_PARAMETERS, **(parameters or {})})
        yield Deployment(aws, outputs)
