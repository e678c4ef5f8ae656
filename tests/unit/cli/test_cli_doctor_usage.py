"""governor doctor: whether usage is published, when it last was, and whether its alarms tell somebody."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from governor.aws.inspection import Alarm, Rule
from governor.aws.stack import Resource
from governor.cli import doctor
from governor.cli.checks_alarms import ALARMS_OF_USAGE
from governor.cli.checks_stack import OUTPUTS
from governor.cli.checks_usage import USAGE_CHECKS
from governor.cli.checkup import Finding, examine
from governor.records.names import in_force_key, usage_key
from tests.support.cloudformation import properties, template
from tests.unit.cli.test_cli_doctor import ID, LEFT, NEW, NOON, SEEN, STACK, Healthy, arn, findings, queue, stack

PUBLISH, NOTIFY = "PublishMetricsFunction", "NotifyUsageFunction"
DISABLED = {"parameters": {**STACK.parameters, "PublishUsage": "Disabled"}}


def seen(ago: timedelta, **members: Any) -> dict[str, Any]:
    return {"usage": msgspec.structs.replace(SEEN, at=NOON - ago, **members)}


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


TROUBLE = {"trouble": "ml-eks: not allowed (403)", "trouble_since": NOON - minutes(90)}

CASES: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "rule PublishMetricsRule",
        {"rules": {"publish": Rule("publish", False)}},
        "problem",
        "is disabled: usage is not published",
    ),
    (
        "rule PublishMetricsRule",
        {"rules": {"publish": Rule("publish", True, ((arn(NOTIFY), LEFT),))}},
        "problem",
        "does not reach publish_metrics: usage is not published",
    ),
    (
        "rule PublishMetricsRule",
        {"rules": {"publish": Rule("publish", True, ((arn(PUBLISH), ""),))}},
        "problem",
        "has no dead-letter queue",
    ),
    ("rule PublishMetricsRule", stack(**DISABLED), "warning", "is enabled though PublishUsage is Disabled"),
    (
        "rule NotifyUsageRule",
        {"rules": {"notify": Rule("notify", False)}},
        "problem",
        "is disabled: nobody is told what the alarms of usage say",
    ),
    (
        "rule NotifyUsageRule",
        {"rules": {"notify": Rule("notify", True, ((arn(PUBLISH), LEFT),))}},
        "problem",
        "does not reach notify_usage",
    ),
    ("publish_metrics", {"functions": {PUBLISH: {"state": "Failed", "reason": "key"}}}, "problem", "is Failed: key"),
    ("publish_metrics: concurrency", {"reserve": {PUBLISH: 0}}, "problem", "switched off"),
    ("notify_usage", {"functions": {NOTIFY: {"architecture": "x86_64"}}}, "problem", "runs python3.13 on x86_64"),
    ("notify_usage: concurrency", {"reserve": {NOTIFY: 0}}, "problem", "switched off"),
    ("usage", {"usage": None}, "warning", "was not published yet"),
    ("usage", seen(minutes(6)), "warning", "was published last 6 min ago"),
    ("usage", seen(minutes(-6)), "warning", "is dated 6 min ahead of this clock"),
    ("usage", seen(minutes(1), unread="may not list nodes"), "warning", "60 s ago, and not all of it: may not list"),
    (
        "usage",
        seen(minutes(1), **TROUBLE),
        "problem",
        "cannot be read since 2026-11-24 10:30 UTC, tried last 60 s ago: ml-eks: not allowed (403)",
    ),
    ("usage", seen(minutes(200), **TROUBLE), "problem", "tried last 3 h ago: ml-eks"),
    ("usage", seen(minutes(1), trouble="it is gone"), "problem", "since 2026-11-24 11:59 UTC"),
]


def looked(about: str, **changes: Any) -> list[Finding]:
    """What a single check finds."""
    return list(examine(Healthy(**changes).patient(), [check for check in USAGE_CHECKS if check.about == about]))


@pytest.mark.parametrize(("about", "changes", "level", "text"), CASES, ids=[f"{a}-{t}" for a, _, _, t in CASES])
def test_each_failure_is_found_once_and_says_what_to_do(
    about: str, changes: dict[str, Any], level: str, text: str
) -> None:
    (found,) = looked(about, **changes)
    assert (found.level, bool(found.remedy)) == (level, True)
    assert text in found.text
    assert [item for item in findings(**changes) if item.level not in ("ok", "could not look")] == [found]


def test_no_check_is_without_a_failure() -> None:
    assert {about for about, *_ in CASES} == {check.about for check in USAGE_CHECKS}


# When usage was published.


@pytest.mark.parametrize(
    ("ago", "told"),
    [
        (timedelta(seconds=40), "was published 40 s ago"),
        (minutes(5), "was published 5 min ago"),
        (minutes(-4), "was published 0 s ago"),  # this clock is behind that of the function
    ],
)
def test_usage_that_was_published_just_now_is_well_whatever_clocks_differ_by(ago: timedelta, told: str) -> None:
    (found,) = looked("usage", **seen(ago))
    assert found == Finding("ok", "usage: ml-research", told)


def test_where_nothing_is_governed_there_is_nothing_to_say() -> None:
    assert looked("usage", state="Released", **seen(minutes(600), **TROUBLE)) == []
    patient = Healthy().patient()
    assert patient.buckets is not None
    bucket: Any = patient.buckets.policies
    bucket.delete(in_force_key(ID))
    assert list(examine(patient, USAGE_CHECKS[-1:])) == []


def test_a_cluster_that_is_let_go_of_is_looked_at_until_it_is_free() -> None:
    (found,) = looked("usage", state="Leaving", **seen(minutes(1)))
    assert found.level == "ok"


@pytest.mark.parametrize("key", [usage_key(ID), in_force_key(ID)])
def test_a_damaged_document_hides_its_cluster_alone(key: str) -> None:
    patient, other = Healthy().patient(), "ba9876543210"
    assert patient.buckets is not None
    bucket: Any = patient.buckets.policies
    standing = msgspec.structs.replace(Healthy().standing, cluster_name="ml-other")
    bucket.upload(in_force_key(other), msgspec.json.encode(standing))
    bucket.upload(usage_key(other), msgspec.json.encode(SEEN))
    bucket.upload(key, "{")
    damaged, sound = examine(patient, USAGE_CHECKS[-1:])
    assert (damaged.level, damaged.about) == ("could not look", f"usage: {ID}")
    assert f"the document {key} is damaged" in damaged.text
    assert (sound.level, sound.about) == ("ok", "usage: ml-other")


@pytest.mark.parametrize(("operation", "action"), [("list", "s3:ListBucket"), ("get", "s3:GetObject")])
def test_what_may_not_be_read_is_named(operation: str, action: str) -> None:
    (found,) = looked("usage", refused={f"s3:{operation}": action})
    assert (found.level, found.permission) == ("could not look", action)


# Where usage is not to be published.


def test_that_usage_is_not_published_is_said_where_it_is_meant() -> None:
    off = {**stack(**DISABLED), "rules": {"publish": Rule("publish", False)}, **seen(minutes(6000))}
    (found,) = looked("rule PublishMetricsRule", **off)
    assert (found.level, found.text) == ("ok", "usage is not published: PublishUsage is Disabled")
    assert looked("usage", **off) == []
    assert {item.level for item in findings(**off)} == {"ok"}


def test_when_it_was_published_is_told_even_where_the_stack_may_not_be_looked_at() -> None:
    (found,) = looked("usage", stack=None)
    assert (found.level, found.text) == ("ok", "was published 0 s ago")


# The alarms of usage.


def alarmed(logical: str, state: str, *, tells: bool) -> dict[str, Any]:
    more = Resource(logical, "AWS::CloudWatch::Alarm", "alarm-u")
    ringing = (*Healthy().ringing, Alarm("alarm-u", state, "see docs/operations.md", "was 1", tells))
    return {"resources": (*Healthy().resources, more), "ringing": ringing}


@pytest.mark.parametrize("logical", ALARMS_OF_USAGE)
def test_alarms_of_usage_are_told_by_a_function_and_what_they_say_is_news(logical: str) -> None:
    assert {item.level for item in findings(**alarmed(logical, "OK", tells=False))} == {"ok"}
    (found,) = [item for item in findings(**alarmed(logical, "ALARM", tells=False)) if item.level != "ok"]
    assert (found.level, found.about, found.text) == ("warning", "alarm alarm-u", "rings: was 1")


def test_that_no_usage_comes_is_an_illness_once_it_could_have_come() -> None:
    silent = alarmed("UsageSilentAlarm", "ALARM", tells=True)
    assert [item.level for item in findings(**silent) if item.level != "ok"] == ["problem"]
    assert [item.level for item in findings(**silent, **stack(created=NEW)) if item.level != "ok"] == ["warning"]
    (mute,) = [item for item in findings(**alarmed("UsageSilentAlarm", "OK", tells=False)) if item.level != "ok"]
    assert mute.text == "alarm-u would ring and tell nobody"


# What the template has.


def test_what_is_looked_at_is_in_the_template_under_these_names() -> None:
    assert set(OUTPUTS) <= set(template()["Outputs"])
    rules = {item.logical for item in Healthy().resources if item.kind == "AWS::Events::Rule"}
    assert rules == set(properties("AWS::Events::Rule"))
    silent = {name for name, alarm in properties("AWS::CloudWatch::Alarm").items() if not alarm.get("AlarmActions")}
    assert silent == set(ALARMS_OF_USAGE)
    assert "UsageSilentAlarm" in properties("AWS::CloudWatch::Alarm")
    assert "Disabled" in template()["Parameters"]["PublishUsage"]["AllowedValues"]


# Queues that all functions share.


@pytest.mark.parametrize("url", ["UndeliveredEventsQueue", "FailedInvocationsQueue"])
def test_what_is_left_in_a_queue_is_not_said_to_be_of_one_function(url: str) -> None:
    (found,) = [item for item in findings(**queue(url, waiting=1)) if item.level == "problem"]
    assert "receive_policy" not in found.text + found.remedy
    assert "what notify_usage was to tell stands in the message" in found.remedy
    assert found.remedy.endswith(f"then: aws sqs purge-queue --queue-url {url}")


def test_the_checks_of_usage_come_before_those_of_clusters() -> None:
    abouts = [item.about for item in doctor.findings_of(Healthy().patient())]
    assert abouts.index("alarms") < abouts.index("rule PublishMetricsRule") < abouts.index("SageMaker")
