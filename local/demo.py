"""``make demo``: the public workshop's policy, dropped into a bucket of the local AWS.

The real template is built and deployed by the real SAM CLI; every scene uploads a file as a person does, waits for
the written answer, and checks what came of it, by the status document and by what the API then answers. Status 0 only
if each was seen.
"""

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import yaml

from governor.aws.kubernetes import roles
from governor.aws.kueue import CONTROLLER
from local.clusters import make_cluster, node
from local.demo_usage import after_a_step, watched
from local.deployment import deployed
from local.environment import forget_aws_accounts
from local.hyperpod.client import ROOT
from local.jobs import Jobs
from local.stage import Stage, say
from local.walkthrough import FOUR_GPUS, ONE_GPU
from local.walkthrough import play as walk

WORKSHOP = ROOT / "policies" / "workshop.yaml"
WORKSHOP_LARGE = ROOT / "policies" / "workshop-four-gpus.yaml"
CLUSTER = "ml-research"
LARGE = "ml-large"
KEY = f"policies/{CLUSTER}.yaml"
TRANSITION_SECONDS = 1.0
SECONDS_PER_MINUTE = 2.0
"""How long a minute of the alarms takes here."""
UNAVAILABLE = {
    "code": "InsufficientNumberOfReplicas",
    "message": "The add-on is unhealthy because it doesn't have the desired number of replicas.",
    "resourceIds": ["kueue-controller-manager"],
}
"""As EKS words it."""
NEW_TEAM = """\
  - name: vision
    fairShareWeight: 40
    quota:
      - {instanceType: ml.g5.8xlarge, count: 1}
    sharing: {strategy: LendAndBorrow, borrowLimit: 100}
"""
_HEADLINE = re.compile(r"Install|Building (layer|codeuri)|Build Succeeded|Initiating|Successfully created/updated")


def fresh_cluster(stage: Stage) -> None:
    stage.scene("A cluster without the add-on; the functions are let into its Kubernetes API")
    looked = stage.governor("addon", CLUSTER)
    stage.check("not installed, and how to change that", seen=looked.status == 1 and "is not installed" in looked.text)
    connected = stage.governor("connect", CLUSTER, "--make")
    say("$ kubectl apply -f -   (with what it printed)", "1")
    stage.kubernetes.load(yaml.safe_load_all(roles()))
    stage.check(
        "access entries made, roles printed", seen=connected.status == 0 and "kind: ClusterRole" in connected.text
    )


def another_kueue(stage: Stage) -> None:
    stage.scene("Somebody has installed a Kueue of their own, and the workshop's policy is dropped into the bucket")
    deployment = "/apis/apps/v1/namespaces/batch/deployments"
    stage.kubernetes.call("POST", "/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": "batch"}})
    stage.kubernetes.call("POST", deployment, {"kind": "Deployment", "metadata": {"name": CONTROLLER}, "spec": {}})
    status = stage.upload(stage.text)
    named = f"deployment {CONTROLLER} in namespace batch" in status["reason"]
    addons = stage.deployment.aws.client("eks").list_addons(clusterName=CLUSTER)["addons"]
    stage.check("Waiting, the other Kueue named, nothing touched", seen=status["verdict"] == "Waiting" and named)
    stage.check("no add-on, no quota", seen=addons == [] and stage.guaranteed() == {})

    stage.scene("They remove it, and the policy goes on by itself: first the add-on, then the teams")
    stage.kubernetes.call("DELETE", f"{deployment}/{CONTROLLER}")
    began = time.monotonic()
    say(f"the tick of every five minutes, played now: {json.dumps(stage.deployment.resync())}", "2")
    status = stage.answer(None, began, "Applied")
    done = [step["title"] for step in status["run"]["steps"] if step["state"] == "done"]
    stage.check("the add-on, then the rest", seen=done[0] == "add-on" and len(done) == 4)
    looked = stage.governor("addon", CLUSTER)
    stage.check("healthy", seen=looked.status == 0 and "✓ healthy" in looked.text)


def what_was_applied(stage: Stage) -> None:

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


def workshop_jobs(stage: Stage) -> None:
    stage.scene("The workshop's jobs: team-a borrows, team-b reclaims, priority decides within team-b")
    with watched(stage) as people, Jobs.of(stage.deployment.aws, CLUSTER) as jobs:
        check = partial(_check, stage)
        walk(jobs, ONE_GPU, check, say, after=partial(after_a_step, stage, people))


def _check(stage: Stage, what: str, seen: bool) -> None:
    stage.check(what, seen=seen)


def same_again(stage: Stage) -> None:
    stage.scene("The same file again")
    before = stage.plane.writes()
    status = stage.upload(stage.text)
    writes = stage.plane.writes() - before
    say(f"calls that write: {writes}")
    stage.check("Unchanged, no call that writes", seen=status["verdict"] == "Unchanged" and writes == 0)


def changed_file(stage: Stage) -> None:
    stage.scene("A fifth node has come; team-a shrinks, team-b grows, team vision is new")
    stage.plane.change_cluster(CLUSTER, instanceGroups=[{"name": "group-1", "count": 5}])
    stage.kubernetes.load([node(f"hyperpod-{CLUSTER}-5", CLUSTER, "ml.g5.8xlarge")])
    head = stage.text.partition("  - name: team-b")[0]
    tail = stage.text.removeprefix(head)
    stage.text = head.replace("count: 2", "count: 1") + tail.replace("count: 2", "count: 3") + NEW_TEAM
    status = stage.upload(stage.text)
    steps = [step for step in status["run"]["steps"] if step["state"] == "done"]
    stage.check("before → after", seen="2 × ml.g5.8xlarge → 1 × ml.g5.8xlarge" in stage.deployment.readable(KEY))
    stage.check("shrink before grow", seen=len(steps) == 3 and steps[0]["title"] == "team team-a")
    stage.check(
        "the teams as the file says",
        seen=status["verdict"] == "Applied" and stage.guaranteed() == {"team-a": 1, "team-b": 3, "vision": 1},
    )


def dropped_team(stage: Stage) -> None:
    stage.scene("A file that drops a team")
    stage.text = stage.text.removesuffix(NEW_TEAM)
    before = stage.plane.writes()
    status = stage.upload(stage.text)
    stage.check("Held, nothing changed", seen=status["verdict"] == "Held" and stage.plane.writes() == before)
    stage.scene("The administrator approves exactly that plan")
    approved = stage.governor("approve", CLUSTER, status["run"]["fingerprint"])
    gone = stage.guaranteed() == {"team-a": 1, "team-b": 3}
    stage.check("approved and applied", seen=approved.status == 0 and gone)


def broken_file(stage: Stage) -> None:
    stage.scene("A broken file")
    before = stage.plane.writes()
    broken = stage.text.replace("fairShareWeight: 100", "fairShareWieght: 1000", 1).replace("Lend", "Lent", 1)
    status = stage.upload(broken)
    places = re.findall(r"ml-research\.yaml:\d+:\d+: error: ", stage.deployment.readable(KEY))
    stage.check(
        "Rejected with file:line:column",
        seen=status["verdict"] == "Rejected" and len(places) == 2 and stage.plane.writes() == before,
    )
    stage.check(
        "the version before stays in force",
        seen=status["inForce"]["version"] not in ("", status["newest"]["origin"]["version"]),
    )


def console_user(stage: Stage) -> None:
    stage.scene("A console user changes a quota behind the policy's back, and the good file is uploaded again")
    console = stage.plane.boto3_client("console-user")
    (quota,) = console.list_compute_quotas(NameContains="Team-B")["ComputeQuotaSummaries"]
    console.update_compute_quota(
        ComputeQuotaId=quota["ComputeQuotaId"],
        TargetVersion=quota["ComputeQuotaVersion"],
        ComputeQuotaTarget={"TeamName": "team-b", "FairShareWeight": 5},
    )
    say("console-user has set team-b's fair-share weight to 5")
    status = stage.upload(stage.text)
    weight = console.describe_compute_quota(ComputeQuotaId=quota["ComputeQuotaId"])["ComputeQuotaTarget"]
    seen_by = [change.get("by", "") for change in status["run"]["foreign"]]
    stage.check("seen, with the name of who did it", seen=any("user/console-user" in by for by in seen_by))
    stage.check("and put right", seen=status["verdict"] == "Applied" and weight.get("FairShareWeight") == 100)


def looked_at(stage: Stage) -> None:
    stage.scene("Where things stand, from the command line")
    shown = stage.governor("status")
    stage.check("the file with its verdict", seen=shown.status == 0 and "Applied" in shown.text)
    sound = stage.governor("doctor")
    stage.check("a sound deployment", seen=sound.status == 0)
    target = stage.directory / "imported.yaml"
    wrote = stage.governor("import", CLUSTER, "-o", str(target))
    planned = stage.governor("plan", str(target))
    stage.check("importing and planning gives no change", seen=wrote.status == 0 and planned.status == 0)


def broken_addon(stage: Stage) -> None:
    stage.scene("The add-on loses its controller; the hourly look sees it, and tells it once")
    told = stage.deployment.verify_addons()
    stage.deployment.aws.addon_state(CLUSTER, status="DEGRADED", issues=[UNAVAILABLE])
    stage.deployment.aws.addon_controller(CLUSTER, available=False, webhook=False)
    looks = [stage.deployment.verify_addons() for _ in range(2)]
    say(f"verify_addon: {json.dumps(told)}, then {json.dumps(looks)}", "2")
    changes = [look["changed"] for look in looks]
    stage.check("told once", seen=changes == [[CLUSTER], []] and looks[1]["unhealthy"] == [CLUSTER])
    looked = stage.governor("addon", CLUSTER)
    stage.check("why, and what to do", seen=looked.status == 1 and "fewer pods of the add-on run" in looked.text)
    before = stage.plane.writes()
    status = stage.upload(stage.text.replace("fairShareWeight: 100", "fairShareWeight: 90", 1))
    waiting = status["verdict"] == "Waiting" and "DEGRADED" in status["reason"]
    stage.check("a change waits meanwhile", seen=waiting and stage.plane.writes() == before)

    stage.scene("It is mended")
    stage.deployment.aws.addon_state(CLUSTER, status="ACTIVE", issues=[])
    stage.deployment.aws.addon_controller(CLUSTER)
    began = time.monotonic()
    stage.deployment.resync()
    status = stage.answer(None, began, "Applied")
    stage.check("applied by itself", seen=status["verdict"] == "Applied")


def four_gpus(stage: Stage) -> None:
    stage.scene(f"The workshop's variant, on a cluster {LARGE} with 2 × ml.g5.12xlarge: a team may borrow the other's")
    stage.deployment.add_cluster(LARGE, {"ml.g5.12xlarge": 2})
    status = stage.upload(WORKSHOP_LARGE.read_text(), key=f"policies/{LARGE}.yaml")
    stage.check("applied", seen=status["verdict"] == "Applied")
    with Jobs.of(stage.deployment.aws, LARGE) as jobs:
        walk(jobs, FOUR_GPUS, partial(_check, stage), say)


def deleted_file(stage: Stage) -> None:
    stage.scene("The file is deleted (onDelete: Retain)")
    began = time.monotonic()
    stage.deployment.delete(KEY)
    waiting = stage.answer(None, began, "Waiting")
    grace = int(stage.deployment.outputs.get("DeletionGraceSeconds", "2"))
    stage.check("it waits for the grace period", seen="the file was deleted" in waiting["reason"])
    time.sleep(grace + 0.5)
    done = stage.deployment.resync()
    say(f"the tick of every five minutes, played now: {json.dumps(done)}", "2")
    released = stage.answer(None, began, "Released")
    stage.check(
        "Released, and everything stays",
        seen="nobody's" in released["reason"] and stage.guaranteed() == {"team-a": 1, "team-b": 3},
    )


def _workshop() -> str:
    """The workshop's policy, which asks for the add-on as well."""
    return WORKSHOP.read_text().replace("clusterPolicy:", "addon: {version: default}\nclusterPolicy:", 1)


def _progress(line: str) -> None:
    """What takes long: tools that are installed the first time, and SAM's headlines."""
    if _HEADLINE.match(line.strip()):
        say(f"    {line.strip()}", "2")


SCENES: tuple[Callable[[Stage], None], ...] = (
    fresh_cluster,
    another_kueue,
    what_was_applied,
    workshop_jobs,
    same_again,
    changed_file,
    dropped_team,
    broken_file,
    console_user,
    looked_at,
    broken_addon,
    four_gpus,
    deleted_file,
)


def main() -> int:
    """Play all scenes; the exit status."""
    forget_aws_accounts()
    say("━━ The local AWS starts; the template is built and deployed by the SAM CLI", "1;36")
    with (
        tempfile.TemporaryDirectory(prefix="governor-demo-") as directory,
        deployed(
            {"AddonInstall": "Install"},
            progress=_progress,
            seconds_per_minute=SECONDS_PER_MINUTE,
            plane_settings={"transition_seconds": TRANSITION_SECONDS},
            addon_seconds=TRANSITION_SECONDS,
        ) as deployment,
    ):
        make_cluster(deployment.aws, CLUSTER, {"ml.g5.8xlarge": 4})
        say(f"Deployed with AddonInstall=Install. The HyperPod cluster {CLUSTER} has 4 × ml.g5.8xlarge.")
        say(f"Alarms run on a fast clock here: a minute of theirs takes {SECONDS_PER_MINUTE:g} seconds.")
        stage = Stage(deployment, Path(directory), CLUSTER, _workshop())
        for scene in SCENES:
            scene(stage)
        stage.check("every request and answer as botocore's model says", seen=not stage.plane.violations())
    missed = [what for what, seen in stage.seen if not seen]
    say()
    say(f"{len(stage.seen) - len(missed)} of {len(stage.seen)} seen; everything that was started has ended.", "1")
    for what in missed:
        say(f"✗ {what}", "1;31")
    return 1 if missed or not stage.seen else 0


if __name__ == "__main__":
    sys.exit(main())
