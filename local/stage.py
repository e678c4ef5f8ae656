"""Where the demo plays: a deployed stack, the command line, and the tally of what was seen."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.deployment import Deployment

if TYPE_CHECKING:
    from types_boto3_sagemaker.client import SageMakerClient

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Ran:
    """A command that has ended: its status and what it printed, without colours."""

    def __init__(self, status: int, text: str) -> None:
        self.status, self.text = status, _ESCAPES.sub("", text)


class Stage:
    """``text`` is the policy of the cluster as it is at the moment."""

    def __init__(self, deployment: Deployment, directory: Path, cluster: str, text: str) -> None:
        self.deployment, self.cluster, self.text = deployment, cluster, text
        self.plane = deployment.aws.plane
        self.directory = directory
        self.kubernetes = deployment.aws.kubernetes.cluster(cluster)
        self._environment = {**os.environ, **deployment.aws.env(), "GOVERNOR_STACK": deployment.stack}
        if sys.stdout.isatty():
            self._environment |= {"FORCE_COLOR": "1", "COLUMNS": str(os.get_terminal_size().columns)}
        self.seen: list[tuple[str, bool]] = []

    @property
    def key(self) -> str:
        """Where the policy lies in the bucket."""
        return f"policies/{self.cluster}.yaml"

    def scene(self, title: str) -> None:
        say()
        say(f"━━ {title}", "1;36")

    def upload(self, text: str, key: str = "") -> dict[str, Any]:
        """Put the file into the bucket and wait for the answer; it is shown as it lies in the bucket."""
        key = key or self.key
        say(f"s3.put_object(Bucket={self.deployment.policies!r}, Key={key!r}, Body=…)", "1")
        began = time.monotonic()
        version = self.deployment.upload(key, text)
        return self.answer(version, began, key=key)

    def answer(self, version: str | None, began: float, verdict: str | None = None, key: str = "") -> dict[str, Any]:
        key = key or self.key
        status = self.deployment.wait(key, version, verdict)
        say(f"s3://{self.deployment.records}/status/{key}.md, {time.monotonic() - began:.1f} s later:", "2")
        for line in self.deployment.readable(key).splitlines():
            if line.strip() and not line.startswith(("| | |", "|---")):
                say(f"    {line}")
        return status

    def governor(self, *arguments: str) -> Ran:
        """Run the installed command; its output is shown as it comes, and kept."""
        say(f"$ governor {' '.join(argument.replace(str(self.directory) + os.sep, '') for argument in arguments)}", "1")
        command = [str(Path(sys.executable).parent / "governor"), *arguments]
        text = ""
        with subprocess.Popen(
            command,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                sys.stdout.write(line.replace(str(self.directory) + os.sep, ""))
                sys.stdout.flush()
                text += line
        say(f"(exit status {process.returncode})", "2")
        return Ran(process.returncode, text)

    def check(self, what: str, *, seen: bool) -> None:
        self.seen.append((what, seen))
        say(f"{'✓ seen' if seen else '✗ NOT SEEN'}: {what}", "32" if seen else "1;31")

    @property
    def sagemaker(self) -> "SageMakerClient":
        return self.plane.boto3_client("demo")

    def guaranteed(self) -> dict[str, int]:
        """Instances per team, as ListComputeQuotas answers."""
        listed = self.sagemaker.list_compute_quotas(MaxResults=100)["ComputeQuotaSummaries"]
        return {
            quota["ComputeQuotaTarget"]["TeamName"]: sum(
                entry.get("Count", 0) for entry in quota["ComputeQuotaConfig"].get("ComputeQuotaResources", ())
            )
            for quota in listed
            if quota["Status"] != "Deleted"
        }


def say(text: str = "", style: str = "") -> None:
    """A line, coloured where it is read by a person."""
    print(f"\x1b[{style}m{text}\x1b[0m" if style and sys.stdout.isatty() else text, flush=True)
