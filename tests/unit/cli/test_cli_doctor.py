"""governor doctor: every check can fail, each failure says what to do, and a missing permission hides only itself."""

import dataclasses
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest

from governor.addon.seen import Addon, Issue
from governor.aws.inspection import Alarm, Function, Inspection, NotAllowedError, QueueFacts, Rule, Source
from governor.aws.stack import Resource, Stack
from governor.aws.surroundings import Caller, Surroundings
from governor.cli import doctor
from governor.cli.checks_around import AROUND_CHECKS, FIRST
from governor.cli.checks_stack import OUTPUTS, STACK_CHECKS
from governor.cli.checkup import Check, Finding, Patient, examine
from governor.cli.deployment import Buckets
from governor.cli.main import main
from governor.errors import AccessError, NotFoundError, TransientError
from governor.records.documents import Origin, Standing, State
from governor.records.names import in_force_key, usage_key
from governor.records.store import Documents
from governor.records.usages import UsageSeen
from tests.support.buckets import MemoryBucket, WallClock
from tests.support.world import two_teams

ALL = (*FIRST, *STACK_CHECKS, *AROUND_CHECKS)
PASS = '{"level":"INFO","message":"received","resync":{"files":1,"clusters":1}}'


def arn(name: str) -> str:
    return f"arn:aws:test:us-west-2:123456789012:{name}"


STACK = Stack(
    "hyperpod-governor",
    "CREATE_COMPLETE",
    outputs={name: name.removesuffix("Name").removesuffix("Url").removesuffix("Arn") for name in OUTPUTS},
    parameters={"Runtime": "python3.13", "Architecture": "arm64", "LogLevel": "INFO"},
)
ALICE = Caller("123456789012", arn("alice"), "us-west-2", 0.2)
ADDON = Addon("v1.3.0-eksbuild.1", "ACTIVE")
SILENT = Alarm("alarm-a", "ALARM", "is its rule enabled?", "no data", True, False, True)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ID = "0123456789ab"
SEEN = UsageSeen(at=NOON, cluster_arn=arn(f"cluster/{ID}"), cluster_name="ml-research", usage=None)
REACHED = {
    "object": "ReceivePolicyFunction",
    "resync": "ReceivePolicyFunction",
    "verify": "VerifyAddonFunction",
    "publish": "PublishMetricsFunction",
    "notify": "NotifyUsageFunction",
}
"""The function that each rule is to reach."""


@dataclasses.dataclass
class Healthy:
    """A deployment that has nothing wrong; a test changes what it wants to be wrong."""

    stack: Stack | None = STACK
    resources: tuple[Resource, ...] = (
        Resource("ObjectRule", "AWS::Events::Rule", "object"),
        Resource("ResyncRule", "AWS::Events::Rule", "resync"),
        Resource("VerifyAddonRule", "AWS::Events::Rule", "verify"),
        Resource("PublishMetricsRule", "AWS::Events::Rule", "publish"),
        Resource("NotifyUsageRule", "AWS::Events::Rule", "notify"),
        Resource("A", "AWS::CloudWatch::Alarm", "alarm-a"),
        Resource("L", "AWS::Logs::LogGroup", "group-a"),
    )
    versioned: dict[str, bool] = dataclasses.field(default_factory=dict)
    public: str = ""
    plain: str = ""
    events: bool = True
    old_versions_end: bool = True
    rules: dict[str, Rule] = dataclasses.field(default_factory=dict)
    queues: dict[str, QueueFacts] = dataclasses.field(default_factory=dict)
    functions: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    reserve: dict[str, int | None] = dataclasses.field(default_factory=dict)
    feeds: tuple[Source, ...] = (Source(arn("PolicyChangesQueue"), "Enabled", 1, True),)
    destination: str = arn("FailedInvocationsQueue")
    days: int | None = 90
    log: tuple[str, ...] = ("REPORT RequestId: resync", PASS)
    ringing: tuple[Alarm, ...] = (Alarm("alarm-a", "OK", "what to do", "fine", True),)
    listeners: tuple[int, int] = (1, 0)
    who: Caller = ALICE
    clusters: tuple[str, ...] = ("ml-research",)
    eks: str = "eks-research"
    addon: Addon | None = ADDON
    policy: str = two_teams()
    state: State = "InForce"
    usage: UsageSeen | None = SEEN
    refused: dict[str, str] = dataclasses.field(default_factory=dict)
    """Methods that are not allowed, and the action that it takes."""
    asked: list[str] = dataclasses.field(default_factory=list)
    """The functions that AWS was asked for."""

    def patient(self) -> Patient:
        bucket = MemoryBucket(WallClock())
        bucket.upload("policies/a.yaml", self.policy)
        bucket.upload(in_force_key(ID), msgspec.json.encode(self.standing))
        if self.usage is not None:
            bucket.upload(usage_key(ID), msgspec.json.encode(self.usage))

        def deny(operation: str, key: str) -> None:
            if f"s3:{operation}" in self.refused:
                raise AccessError("no")

        bucket.before = deny
        buckets = Buckets(cast(Any, bucket), Documents(bucket))
        refused = None if self.stack else NotFoundError("there is no stack 'x'; give --stack hyperpod-governor")
        return Patient(_Inspection(self), _Surroundings(self), buckets, self.stack, self._listed, NOON, refused)

    @property
    def standing(self) -> Standing:
        return Standing(
            revision=1,
            cluster_arn=SEEN.cluster_arn,
            cluster_name=SEEN.cluster_name,
            generation=1,
            state=self.state,
            origin=Origin("policies/a.yaml"),
            changed=NOON,
        )

    def _listed(self) -> tuple[Resource, ...]:
        if "resources" in self.refused:
            raise AccessError("no")
        return self.resources

    def allowed(self, method: str) -> None:
        if method in self.refused:
            raise NotAllowedError(self.refused[method], f"{method} is not allowed")


class _Inspection(Inspection):
    def __init__(self, it: Healthy) -> None:
        self.it = it

    def keeps_versions(self, bucket: str) -> bool:
        self.it.allowed("keeps_versions")
        return self.it.versioned.get(bucket, True)

    def sends_events(self, bucket: str) -> bool:
        self.it.allowed("sends_events")
        return self.it.events

    def is_private(self, bucket: str) -> bool:
        self.it.allowed("is_private")
        return bucket != self.it.public

    def encryption(self, bucket: str) -> str:
        self.it.allowed("encryption")
        return "" if bucket == self.it.plain else "AES256"

    def expires(self, bucket: str) -> bool:
        self.it.allowed("expires")
        return self.it.old_versions_end

    def rule(self, name: str) -> Rule:
        self.it.allowed("rule")
        healthy = Rule(name, True, ((arn(REACHED[name]), arn("UndeliveredEventsQueue")),))
        return self.it.rules.get(name, healthy)

    def queue(self, url: str) -> QueueFacts:
        self.it.allowed("queue")
        redrive = arn("PolicyChangesDeadLettersQueue") if url == "PolicyChangesQueue" else ""
        return self.it.queues.get(url, QueueFacts(arn(url), 0, 0, 360, redrive))

    def function(self, name: str) -> Function:
        self.it.asked.append(name)
        self.it.allowed("function")
        facts = {"name": name, "arn": arn(name), "state": "Active", "update": "Successful", "reason": ""}
        facts |= {"runtime": "python3.13", "architecture": "arm64", "modified": "2026-11-24T09:00:00.000+0000"}
        return Function(
            **{**facts, "timeout": 300, "log_group": f"/aws/lambda/{name}", **self.it.functions.get(name, {})}
        )

    def reserved(self, name: str) -> int | None:
        self.it.allowed("reserved")
        return self.it.reserve.get(name)

    def sources(self, name: str) -> tuple[Source, ...]:
        self.it.allowed("sources")
        return self.it.feeds

    def on_failure(self, name: str) -> str:
        self.it.allowed("on_failure")
        return self.it.destination

    def retention(self, group: str) -> int | None:
        self.it.allowed("retention")
        return self.it.days

    def logged(self, group: str, term: str, since: float) -> tuple[str, ...]:
        self.it.allowed("logged")
        assert since == datetime(2026, 11, 24, 11, 45, tzinfo=UTC).timestamp()
        return self.it.log

    def alarms(self, names: Iterable[str]) -> tuple[Alarm, ...]:
        self.it.allowed("alarms")
        wanted = set(names)
        return tuple(alarm for alarm in self.it.ringing if alarm.name in wanted)

    def subscriptions(self, topic: str) -> tuple[int, int]:
        self.it.allowed("subscriptions")
        return self.it.listeners


class _Surroundings(Surroundings):
    def __init__(self, it: Healthy) -> None:
        self.it = it

    def caller(self) -> Caller:
        self.it.allowed("caller")
        return self.it.who

    def clusters(self) -> tuple[str, ...]:
        self.it.allowed("clusters")
        return self.it.clusters

    def eks_cluster(self, cluster: str) -> str:
        self.it.allowed("eks_cluster")
        if cluster.rpartition("/")[2] not in self.it.clusters:
            raise NotFoundError("no such cluster")
        return self.it.eks

    def addon(self, eks_cluster: str) -> Addon:
        self.it.allowed("addon")
        if self.it.addon is None:
            raise NotFoundError("no such add-on")
        return self.it.addon


def stack(**members: Any) -> dict[str, Any]:
    return {"stack": msgspec.structs.replace(STACK, **members)}


def queue(url: str, **members: Any) -> dict[str, Any]:
    healthy = QueueFacts(arn(url), 0, 0, 360, arn("PolicyChangesDeadLettersQueue"))
    return {"queues": {url: msgspec.structs.replace(healthy, **members)}}


NEW = datetime(2026, 11, 24, 11, 50, tzinfo=UTC)
RECEIVE, APPLY, VERIFY = "ReceivePolicyFunction", "ApplyPolicyFunction", "VerifyAddonFunction"
LEFT = arn("UndeliveredEventsQueue")
OUTPUTS_LESS = {name: "x" for name in OUTPUTS if name != "NotificationsTopicArn"}
FOREIGN = "arn:aws:sagemaker:us-west-2:123456789012:cluster/abcdefabcdef"

CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("credentials", {"who": Caller("1", "a", "r", 120.0)}, "warning", "120 s ahead of AWS"),
    ("credentials", {"who": Caller("1", "a", "r", -400.0)}, "warning", "400 s behind AWS"),
    ("stack", {"stack": None}, "problem", "there is no stack 'x'; give --stack"),
    ("stack", stack(status="ROLLBACK_COMPLETE", reason="no right"), "problem", "ROLLBACK_COMPLETE: no right"),
    ("stack", stack(status="UPDATE_ROLLBACK_COMPLETE"), "warning", "UPDATE_ROLLBACK_COMPLETE"),
    ("stack", stack(status="UPDATE_IN_PROGRESS"), "warning", "UPDATE_IN_PROGRESS"),
    ("outputs", stack(outputs=OUTPUTS_LESS), "problem", "has no NotificationsTopicArn"),
    ("policies bucket: versions", {"versioned": {"PoliciesBucket": False}}, "problem", "does not keep versions"),
    ("records bucket: versions", {"versioned": {"RecordsBucket": False}}, "problem", "does not keep versions"),
    ("policies bucket: events", {"events": False}, "problem", "does not tell EventBridge"),
    ("policies bucket: public access", {"public": "PoliciesBucket"}, "problem", "public access is not blocked"),
    ("records bucket: public access", {"public": "RecordsBucket"}, "problem", "public access is not blocked"),
    ("policies bucket: encryption", {"plain": "PoliciesBucket"}, "problem", "no default encryption"),
    ("records bucket: encryption", {"plain": "RecordsBucket"}, "problem", "no default encryption"),
    ("records bucket: lifecycle", {"old_versions_end": False}, "warning", "kept for ever"),
    ("rule ObjectRule", {"rules": {"object": Rule("object", False)}}, "problem", "is disabled: files are only seen"),
    ("rule ObjectRule", {"rules": {"object": Rule("object", True)}}, "problem", "does not reach receive_policy"),
    ("rule ObjectRule", {"resources": ()}, "problem", "the stack has no ObjectRule"),
    ("rule ResyncRule", {"rules": {"resync": Rule("resync", False)}}, "problem", "is disabled: what an event missed"),
    (
        "rule ResyncRule",
        {"rules": {"resync": Rule("resync", True, ((arn(RECEIVE), ""),))}},
        "problem",
        "no dead-letter",
    ),
    ("rule VerifyAddonRule", {"rules": {"verify": Rule("verify", False)}}, "problem", "add-ons are not looked at"),
    ("verify_addon", {"functions": {VERIFY: {"runtime": "python3.11"}}}, "problem", "built for python3.13 on arm64"),
    ("verify_addon: concurrency", {"reserve": {VERIFY: 0}}, "problem", "switched off"),
    ("receive_policy", {"functions": {RECEIVE: {"state": "Failed", "reason": "key"}}}, "problem", "is Failed: key"),
    ("receive_policy", {"functions": {RECEIVE: {"update": "Failed"}}}, "problem", "its last update failed"),
    ("receive_policy", {"functions": {RECEIVE: {"runtime": "python3.11"}}}, "problem", "built for python3.13 on arm64"),
    ("apply_policy", {"functions": {APPLY: {"architecture": "x86_64"}}}, "problem", "runs python3.13 on x86_64"),
    ("receive_policy: concurrency", {"reserve": {RECEIVE: 0}}, "problem", "switched off"),
    ("apply_policy: concurrency", {"reserve": {APPLY: 0}}, "problem", "switched off"),
    ("receive_policy: failures", {"destination": ""}, "problem", "what it fails on is lost"),
    ("apply_policy: source", {"feeds": ()}, "problem", "is not fed by the queue"),
    (
        "apply_policy: source",
        {"feeds": (Source(arn("PolicyChangesQueue"), "Disabled", 1, True),)},
        "problem",
        "Disabled",
    ),
    ("apply_policy: source", {"feeds": (Source(arn("PolicyChangesQueue"), "Enabled", 1, False),)}, "problem", "lacks"),
    ("apply_policy: source", {"feeds": (Source(arn("PolicyChangesQueue"), "Enabled", 10, True),)}, "problem", "fed 10"),
    ("queue of changes", queue("PolicyChangesQueue", visibility=60), "problem", "two runs could meet"),
    ("queue of changes", queue("PolicyChangesQueue", redrive=""), "problem", "could block a cluster"),
    ("resync", {"log": ()}, "problem", "no pass over all files is logged"),
    ("resync", {"log": ("START resync", '{"key": "policies/resync.yaml"}')}, "problem", "no pass over all files"),
    ("resync", {**stack(created=NEW), "log": ()}, "warning", "the stack is new"),
    (
        "dead letters",
        queue("PolicyChangesDeadLettersQueue", waiting=2),
        "problem",
        "2 changes that were tried",
    ),
    (
        "undelivered events",
        queue("UndeliveredEventsQueue", at_work=1),
        "problem",
        "1 events that EventBridge",
    ),
    (
        "failed invocations",
        queue("FailedInvocationsQueue", waiting=1),
        "problem",
        "1 events that a function",
    ),
    ("alarms", {"ringing": (Alarm("alarm-a", "ALARM", "what to do", "was 7", True),)}, "problem", "rings: was 7"),
    ("alarms", {"ringing": (Alarm("alarm-a", "ALARM", "held", "was 1", True, True),)}, "warning", "rings: was 1"),
    ("alarms", {"ringing": (SILENT,)}, "problem", "no data"),
    (
        "alarms",
        {"ringing": (SILENT,), **stack(created=NEW)},
        "warning",
        "rings: no data",
    ),
    ("alarms", {"ringing": ()}, "problem", "alarm-a missing"),
    ("alarms", {"ringing": (Alarm("alarm-a", "OK", "", "", False),)}, "warning", "ring and tell nobody"),
    ("notifications", {"listeners": (0, 0)}, "warning", "nobody listens"),
    ("notifications", {"listeners": (1, 1)}, "warning", "1 subscription not confirmed yet, 1 confirmed"),
    ("logs", {"days": None}, "warning", "group-a: kept for ever"),
    ("logs", {"resources": Healthy().resources[:-1]}, "warning", "no log groups of its own"),
    ("SageMaker", {"clusters": ("ml-reserch",)}, "problem", "names cluster 'ml-research', which does not exist"),
    ("add-ons", {"addon": None}, "problem", "has not the add-on"),
    ("add-ons", {"addon": Addon("v1", "DEGRADED", (Issue("Conflict", "x"),))}, "problem", "is DEGRADED: it is"),
    ("add-ons", {"addon": Addon("v1", "DEGRADED", (Issue("Conflict", "x"),))}, "problem", "Conflict: x"),
    ("add-ons", {"addon": Addon("v1", "ACTIVE", (Issue("InternalFailure", "x"),))}, "problem", "support case"),
    ("add-ons", {"addon": Addon("v1", "UPDATING")}, "warning", "is UPDATING"),
    ("add-ons", {"eks": ""}, "problem", "is not orchestrated by EKS"),
    ("add-ons", {"policy": two_teams().replace("ml-research", FOREIGN)}, "problem", "does not exist"),
]


def findings(**changes: Any) -> list[Finding]:
    return doctor.findings_of(Healthy(**changes).patient())


def test_a_healthy_deployment_has_nothing_but_ok() -> None:
    found = findings()
    assert [item for item in found if item.level != "ok"] == []
    assert len(found) > len(ALL)


@pytest.mark.parametrize(("about", "changes", "level", "text"), CASES, ids=[f"{a}-{t}" for a, _, _, t in CASES])
def test_each_failure_is_found_once_and_says_what_to_do(
    about: str, changes: dict[str, Any], level: str, text: str
) -> None:
    check = next(check for check in ALL if check.about == about)
    found = [item for item in findings(**changes) if item.level == level and text in item.text]
    assert len(found) == 1, findings(**changes)
    assert found[0].remedy or found[0].text.startswith("there is no stack")
    assert text in " ".join(item.text for item in _of(check, Healthy(**changes).patient()))


def _of(check: Check, patient: Patient) -> list[Finding]:
    return list(examine(patient, [check]))


def test_no_check_is_without_a_failure() -> None:
    assert {about for about, *_ in CASES} == {check.about for check in ALL}


DENIED = {
    "keeps_versions": ("s3:GetBucketVersioning", 2),
    "sends_events": ("s3:GetBucketNotification", 1),
    "is_private": ("s3:GetBucketPublicAccessBlock", 2),
    "encryption": ("s3:GetEncryptionConfiguration", 2),
    "expires": ("s3:GetLifecycleConfiguration", 1),
    "rule": ("events:DescribeRule", 5),
    "queue": ("sqs:GetQueueAttributes", 6),
    "function": ("lambda:GetFunctionConfiguration", 12),
    "reserved": ("lambda:GetFunctionConcurrency", 5),
    "sources": ("lambda:ListEventSourceMappings", 1),
    "on_failure": ("lambda:GetFunctionEventInvokeConfig", 1),
    "retention": ("logs:DescribeLogGroups", 1),
    "logged": ("logs:FilterLogEvents", 1),
    "alarms": ("cloudwatch:DescribeAlarms", 1),
    "subscriptions": ("sns:ListSubscriptionsByTopic", 1),
    "caller": ("sts:GetCallerIdentity", 1),
    "clusters": ("sagemaker:ListClusters", 1),
    "eks_cluster": ("sagemaker:DescribeCluster", 1),
    "addon": ("eks:DescribeAddon", 1),
    "resources": ("cloudformation:ListStackResources", 7),
    "s3:list": ("s3:ListBucket", 3),
    "s3:get": ("s3:GetObject", 3),
}


@pytest.mark.parametrize("method", DENIED)
def test_a_missing_permission_is_named_and_hides_only_what_it_takes(method: str) -> None:
    action, hidden = DENIED[method]
    found = findings(refused={method: action})
    unseen = [item for item in found if item.level == "could not look"]
    assert {item.permission for item in unseen} == {action}
    assert len(unseen) == hidden
    assert {item.level for item in found} == {"ok", "could not look"}


def test_each_function_is_asked_for_once() -> None:
    """Several checks look at each."""
    healthy = Healthy()
    doctor.findings_of(healthy.patient())
    assert sorted(healthy.asked) == sorted({*REACHED.values(), APPLY})


def test_a_service_that_does_not_answer_is_no_problem_of_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: _Inspection, bucket: str) -> bool:
        raise TransientError("no answer")

    monkeypatch.setattr(_Inspection, "sends_events", fails)
    assert [item.text for item in findings() if item.level != "ok"] == ["no answer"]


def test_an_unknown_stack_is_one_problem_and_the_buckets_are_looked_at_all_the_same() -> None:
    patient = Healthy(stack=None).patient()
    patient.policies_bucket, patient.records_bucket = "PoliciesBucket", "RecordsBucket"
    found = doctor.findings_of(patient)
    assert [item.about for item in found if item.level == "problem"] == ["stack"]
    assert sum(item.level == "ok" and item.about == "policies bucket" for item in found) == 4


def test_without_any_deployment_it_ends_at_once() -> None:
    patient = Healthy(stack=None).patient()
    patient.buckets = None
    assert [item.about for item in doctor.findings_of(patient) if item.level == "problem"] == ["stack", "deployment"]


def test_a_quiet_log_level_says_nothing_about_the_resync() -> None:
    found = findings(**stack(parameters={"LogLevel": "ERROR"}), log=())
    assert "resync" not in [item.about for item in found]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, **changes: Any) -> int:
    monkeypatch.setattr(doctor, "diagnose", lambda _stack, _environment: findings(**changes))
    return main(["doctor", *arguments])


def test_the_exit_status_and_the_last_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("All is well; ")
    assert run(monkeypatch, listeners=(0, 0)) == 0
    out = capsys.readouterr().out
    assert "  → aws sns subscribe --topic-arn" in out
    assert "0 problems, 1 warning; " in out.splitlines()[-1]
    assert run(monkeypatch, refused={"addon": "eks:DescribeAddon"}) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("No problem found; ")
    assert last.endswith("1 could not be looked at: allow eks:DescribeAddon")
    assert run(monkeypatch, events=False) == 1
    assert "1 problem, 0 warnings" in capsys.readouterr().out


def test_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--json", events=False) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["problems"] == 1
    assert [item["about"] for item in told["findings"] if item["level"] == "problem"] == ["policies bucket"]


def test_bad_credentials_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Surroundings) -> Caller:
        raise AccessError("sign in again")

    monkeypatch.setattr(Surroundings, "caller", fails)
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    (found,) = doctor.diagnose(None, {})
    assert (found.level, found.text) == ("problem", "sign in again")


COMMANDS = [
    ({"versioned": {"PoliciesBucket": False}}, "aws s3api put-bucket-versioning --bucket PoliciesBucket "),
    ({"events": False}, "aws s3api put-bucket-notification-configuration --bucket PoliciesBucket "),
    ({"reserve": {APPLY: 0}}, "aws lambda delete-function-concurrency --function-name ApplyPolicyFunction"),
    (
        {"feeds": (Source(arn("PolicyChangesQueue"), "Disabled", 1, True, "u-1"),)},
        "aws lambda update-event-source-mapping --uuid u-1 --enabled",
    ),
    (queue("PolicyChangesQueue", visibility=60), "--attributes VisibilityTimeout=360"),
    (
        {"destination": ""},
        f'--destination-config \'{{"OnFailure": {{"Destination": "{arn("FailedInvocationsQueue")}"}}}}\'',
    ),
    (queue("FailedInvocationsQueue", waiting=1), "aws sqs purge-queue --queue-url FailedInvocationsQueue"),
    ({"days": None}, "aws logs put-retention-policy --log-group-name group-a "),
]


@pytest.mark.parametrize(("changes", "command"), COMMANDS)
def test_what_was_changed_by_hand_is_mended_by_a_command(changes: dict[str, Any], command: str) -> None:
    """A deployment without a change in the template would leave it as it is."""
    assert any(command in item.remedy for item in findings(**changes) if item.level != "ok")
