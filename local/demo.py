"""``make demo``: the public workshop's policy, played on a local HyperPod control plane.

Every scene runs the real ``governor`` command against the control plane and checks what came of it, by exit
status, by what was printed and by what the API then answers. Status 0 only if each was seen.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from local.environment import forget_aws_accounts
from local.hyperpod.client import ROOT, ControlPlane

if TYPE_CHECKING:
    from types_boto3_sagemaker.client import SageMakerClient

WORKSHOP = ROOT / "policies" / "workshop.yaml"
CLUSTER = "ml-research"
TRANSITION_SECONDS = 1.5
NEW_TEAM = """\
  - name: vision
    fairShareWeight: 40
    quota:
      - {instanceType: ml.g5.8xlarge, count: 1}
    sharing: {strategy: LendAndBorrow, borrowLimit: 100}
"""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Ran:
    """A command that has ended: its status and what it printed, without colours."""

    def __init__(self, status: int, text: str) -> None:
        self.status, self.text = status, _ESCAPES.sub("", text)


class Stage:
    """Where the demo plays: a control plane, a directory for policies, and the tally of what was seen."""

    def __init__(self, plane: ControlPlane, directory: Path) -> None:
        self.plane = plane
        self.policy = directory / "ml-research.yaml"
        self._environment = {**os.environ, **plane.env("governor"), "GOVERNOR_STATE_DIR": str(directory / "state")}
        if sys.stdout.isatty():
            self._environment |= {"FORCE_COLOR": "1", "COLUMNS": str(os.get_terminal_size().columns)}
        self.seen: list[tuple[str, bool]] = []

    def scene(self, title: str) -> None:
        say()
        say(f"━━ {title}", "1;36")

    def governor(self, *arguments: str) -> Ran:
        """Run the installed command; its output is shown as it comes, and kept."""
        say(f"$ governor {' '.join(self._short(argument) for argument in arguments)}", "1")
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
                sys.stdout.write(self._short(line))
                sys.stdout.flush()
                text += line
        say(f"(exit status {process.returncode})", "2")
        return Ran(process.returncode, text)

    def _short(self, text: str) -> str:
        return text.replace(str(self.policy.parent) + os.sep, "").replace(str(ROOT) + os.sep, "")

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


def first_apply(stage: Stage) -> None:
    stage.scene("The workshop's policy: what it would change, in governance words")
    stage.policy.write_text(WORKSHOP.read_text())
    validated = stage.governor("validate", str(stage.policy))
    planned = stage.governor("plan", str(stage.policy))
    words = ("inference 90 > experimentation 80 > training 70 > fine-tuning 50", "50 % of its quota = 1 accelerator")
    stage.check("a plan in governance words", seen=planned.status == 2 and all(word in planned.text for word in words))
    stage.check("a valid file", seen=validated.status == 0)

    stage.scene("Apply it")
    applied = stage.governor("apply", str(stage.policy))
    stage.check("Applied", seen=applied.status == 0 and "Applied: 3 changes made" in applied.text)

    stage.scene("What the API answers now")
    for quota in stage.sagemaker.list_compute_quotas(SortBy="Name", SortOrder="Ascending")["ComputeQuotaSummaries"]:
        config = quota["ComputeQuotaConfig"]
        sharing = config["ResourceSharingConfig"]
        say(
            f"ListComputeQuotas: {quota['Name']} ({quota['Status']}, version {quota['ComputeQuotaVersion']}), "
            f"team {quota['ComputeQuotaTarget']['TeamName']}: {config['ComputeQuotaResources']}, "
            f"{sharing['Strategy']} {sharing['BorrowLimit']}, {config['PreemptTeamTasks']}"
        )
    (summary,) = stage.sagemaker.list_cluster_scheduler_configs()["ClusterSchedulerConfigSummaries"]
    policy = stage.sagemaker.describe_cluster_scheduler_config(
        ClusterSchedulerConfigId=summary["ClusterSchedulerConfigId"]
    )
    classes = {item["Name"]: item["Weight"] for item in policy["SchedulerConfig"]["PriorityClasses"]}
    say(f"DescribeClusterSchedulerConfig: {policy['Name']} ({policy['Status']}): {policy['SchedulerConfig']}")
    workshop = {"inference": 90, "experimentation": 80, "training": 70, "fine-tuning": 50}
    stage.check("the workshop's priorities", seen=classes == workshop)
    stage.check("two instances per team", seen=stage.guaranteed() == {"team-a": 2, "team-b": 2})


def same_again(stage: Stage) -> None:
    stage.scene("The same file again")
    before = stage.plane.writes()
    again = stage.governor("apply", str(stage.policy))
    writes = stage.plane.writes() - before
    say(f"calls that write: {writes}")
    stage.check("Unchanged, no call that writes", seen=again.status == 0 and "Unchanged" in again.text and writes == 0)


def changed_file(stage: Stage) -> None:
    stage.scene("A fifth node has come; team-a shrinks, team-b grows, team vision is new")
    stage.plane.change_cluster(CLUSTER, instanceGroups=[{"name": "group-1", "count": 5}])
    text = stage.policy.read_text()
    head, team_a, team_b = text.partition("  - name: team-b")[0], "count: 2", "count: 2"
    tail = text.removeprefix(head)
    stage.policy.write_text(head.replace(team_a, "count: 1") + tail.replace(team_b, "count: 3") + NEW_TEAM)
    planned = stage.governor("plan", str(stage.policy))
    stage.check("before → after", seen="2 × ml.g5.8xlarge → 1 × ml.g5.8xlarge" in planned.text)
    applied = stage.governor("apply", str(stage.policy))
    ended = [line for line in applied.text.splitlines() if line.startswith("  ✓")]
    stage.check("shrink before grow", seen=len(ended) == 3 and "team-a" in ended[0])
    stage.check(
        "the teams as the file says",
        seen=applied.status == 0 and stage.guaranteed() == {"team-a": 1, "team-b": 3, "vision": 1},
    )


def dropped_team(stage: Stage) -> None:
    stage.scene("A file that drops a team")
    text = stage.policy.read_text()
    stage.policy.write_text(text.removesuffix(NEW_TEAM))
    before = stage.plane.writes()
    held = stage.governor("apply", str(stage.policy))
    stage.check(
        "Held, nothing changed",
        seen=held.status == 3 and "Held" in held.text and stage.plane.writes() == before,
    )
    found = re.search(r"--approve ([0-9a-f]{12})", held.text)
    if found:
        stage.scene("The administrator approves exactly that plan")
        approved = stage.governor("apply", str(stage.policy), "--approve", found[1])
        gone = stage.guaranteed() == {"team-a": 1, "team-b": 3}
        stage.check("approved and applied", seen=approved.status == 0 and gone)


def broken_file(stage: Stage) -> None:
    stage.scene("A broken file")
    good = stage.policy.read_text()
    stage.policy.write_text(good.replace("fairShareWeight: 100", "fairShareWieght: 1000", 1).replace("Lend", "Lent", 1))
    before = stage.plane.writes()
    rejected = stage.governor("apply", str(stage.policy))
    stage.policy.write_text(good)
    places = re.findall(r"ml-research\.yaml:\d+:\d+: error: ", rejected.text)
    stage.check(
        "Rejected with file:line:column",
        seen=rejected.status == 1
        and len(places) == 2
        and "Rejected" in rejected.text
        and stage.plane.writes() == before,
    )


def console_user(stage: Stage) -> None:
    stage.scene("A console user changes a quota behind the policy's back")
    console = stage.plane.boto3_client("console-user")
    (quota,) = console.list_compute_quotas(NameContains="Team-B")["ComputeQuotaSummaries"]
    console.update_compute_quota(
        ComputeQuotaId=quota["ComputeQuotaId"],
        TargetVersion=quota["ComputeQuotaVersion"],
        ComputeQuotaTarget={"TeamName": "team-b", "FairShareWeight": 5},
    )
    say("console-user has set team-b's fair-share weight to 5")
    applied = stage.governor("apply", str(stage.policy))
    weight = console.describe_compute_quota(ComputeQuotaId=quota["ComputeQuotaId"])["ComputeQuotaTarget"]
    stage.check("seen, with the name of who did it", seen="user/console-user" in applied.text)
    stage.check("and put right", seen=applied.status == 0 and weight.get("FairShareWeight") == 100)


def imported(stage: Stage) -> None:
    stage.scene("A policy written from what is live")
    target = stage.policy.with_name("imported.yaml")
    wrote = stage.governor("import", CLUSTER, "-o", str(target))
    planned = stage.governor("plan", str(target))
    stage.check("importing and planning gives no change", seen=wrote.status == 0 and planned.status == 0)


SCENES: tuple[Callable[[Stage], None], ...] = (
    first_apply,
    same_again,
    changed_file,
    dropped_team,
    broken_file,
    console_user,
    imported,
)


def main() -> int:
    """Play all scenes; the exit status."""
    forget_aws_accounts()
    with (
        tempfile.TemporaryDirectory(prefix="governor-demo-") as directory,
        ControlPlane.start_process({"transition_seconds": TRANSITION_SECONDS}) as plane,
    ):
        plane.add_cluster(CLUSTER, {"ml.g5.8xlarge": 4})
        say(f"A local HyperPod control plane at {plane.url}, with the cluster {CLUSTER}: 4 × ml.g5.8xlarge.")
        stage = Stage(plane, Path(directory))
        for scene in SCENES:
            scene(stage)
        stage.check("every request and answer as botocore's model says", seen=not plane.violations())
    missed = [what for what, seen in stage.seen if not seen]
    say()
    say(f"{len(stage.seen) - len(missed)} of {len(stage.seen)} seen; the control plane has ended.", "1")
    for what in missed:
        say(f"✗ {what}", "1;31")
    return 1 if missed or not stage.seen else 0


if __name__ == "__main__":
    sys.exit(main())
