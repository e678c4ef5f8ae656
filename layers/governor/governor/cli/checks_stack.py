"""Checks of a deployment itself, the way of a file: its stack, buckets, queues. Each a small function."""

import functools
import json
from collections.abc import Iterator
from datetime import timedelta

from governor.cli.checks_alarms import alarms, listeners, retention
from governor.cli.checks_functions import APPLY, NOTIFY, PUBLISH, RECEIVE, VERIFY, concurrency, function, rule
from governor.cli.checkup import Check, Finding, Patient, judged, ok, problem, warning
from governor.policy.wording import counted

OUTPUTS = (
    "PoliciesBucketName",
    "RecordsBucketName",
    "PolicyChangesQueueUrl",
    "PolicyChangesDeadLettersQueueUrl",
    "UndeliveredEventsQueueUrl",
    "FailedInvocationsQueueUrl",
    "NotificationsTopicArn",
    *(part.output for part in (RECEIVE, APPLY, VERIFY, PUBLISH, NOTIFY)),
)
HEALTHY = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
RESYNC_MINUTES = 15
"""A pass is due every five minutes; three that are missing are no accident."""

_LEFTOVERS = (
    (
        "dead letters",
        "PolicyChangesDeadLettersQueueUrl",
        "changes that were tried five times",
        "see 'governor status': the resync tries them again; when all is well",
    ),
    (
        "undelivered events",
        "UndeliveredEventsQueueUrl",
        "events that EventBridge could not deliver",
        "see whether each rule reaches its function and each function is active; the next passes catch up, and what "
        "notify_usage was to tell stands in the message; then",
    ),
    (
        "failed invocations",
        "FailedInvocationsQueueUrl",
        "events that a function failed on for good",
        "each message names its function, request id and error: read that log; the next passes catch up, and what "
        "notify_usage was to tell stands in the message; then",
    ),
)


def stack(patient: Patient) -> Iterator[Finding]:
    """The stack exists, and its last change has ended well."""
    if patient.stack is None:
        raise patient.refused or AssertionError
    found = patient.stack
    reason = f": {found.reason}" if found.reason else ""
    if found.status in HEALTHY:
        yield ok("stack", f"{found.name} is {found.status}")
    elif found.status == "UPDATE_ROLLBACK_COMPLETE":
        yield warning("stack", f"{found.name} is {found.status}{reason}", "the last change failed and was undone")
    elif found.status.endswith("_IN_PROGRESS"):
        yield warning(
            "stack", f"{found.name} is {found.status}", "wait until the deployment has ended, then look again"
        )
    else:
        yield problem("stack", f"{found.name} is {found.status}{reason}", "see the stack's events in CloudFormation")


def outputs(patient: Patient) -> Iterator[Finding]:
    """The stack says where its parts are."""
    missing = []
    for name in OUTPUTS:
        if not (patient.stack.outputs.get(name) if patient.stack else patient.output(name)):
            missing.append(name)  # noqa: PERF401 - asking may raise
    yield judged(
        "outputs",
        good=not missing,
        well="the stack names all its parts",
        ill=f"the stack has no {', '.join(missing)}",
        remedy="is it a stack of HyperPod Governor? give --stack, or deploy this release: sam build && sam deploy",
    )


def _name(patient: Patient, which: str) -> str:
    """A bucket's name; the environment may know it where the stack may not be looked at."""
    given = patient.policies_bucket if which == "policies" else patient.records_bucket
    return given or patient.output("PoliciesBucketName" if which == "policies" else "RecordsBucketName")


def versions(which: str, patient: Patient) -> Iterator[Finding]:
    """Rollback and the verdicts need versions; of records they undo a mistake."""
    name = _name(patient, which)
    yield judged(
        f"{which} bucket",
        good=patient.inspection.keeps_versions(name),
        well="keeps versions",
        ill="does not keep versions: no change can be told from another, and none undone",
        remedy=f"aws s3api put-bucket-versioning --bucket {name} --versioning-configuration Status=Enabled",
    )


def events(patient: Patient) -> Iterator[Finding]:
    """Without events a file is only seen by the resync."""
    name = _name(patient, "policies")
    yield judged(
        "policies bucket",
        good=patient.inspection.sends_events(name),
        well="tells EventBridge of uploads and deletions",
        ill="does not tell EventBridge of uploads: files are only seen every five minutes",
        remedy=f"aws s3api put-bucket-notification-configuration --bucket {name} "
        """--notification-configuration '{"EventBridgeConfiguration": {}}'""",
    )


def private(which: str, patient: Patient) -> Iterator[Finding]:
    """Who can write policies governs the clusters."""
    name = _name(patient, which)
    yield judged(
        f"{which} bucket",
        good=patient.inspection.is_private(name),
        well="cannot be made public",
        ill="public access is not blocked",
        remedy=f"aws s3api put-public-access-block --bucket {name} --public-access-block-configuration "
        "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
    )


def encrypted(which: str, patient: Patient) -> Iterator[Finding]:
    """A default for every object."""
    name = _name(patient, which)
    found = patient.inspection.encryption(name)
    default = '{"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}'
    yield judged(
        f"{which} bucket",
        good=bool(found),
        well=f"encrypts ({found})",
        ill="has no default encryption",
        remedy=f"aws s3api put-bucket-encryption --bucket {name} --server-side-encryption-configuration '{default}'",
    )


def lifecycle(patient: Patient) -> Iterator[Finding]:
    """Every write leaves a version behind."""
    if patient.inspection.expires(_name(patient, "records")):
        yield ok("records bucket", "old versions of documents expire")
    else:
        text = "old versions of documents are kept for ever and grow with every verdict"
        yield warning("records bucket", text, "deploy with another OldVersionDays, which writes the rules anew")


def failures(patient: Patient) -> Iterator[Finding]:
    """What receive_policy fails on for good is kept."""
    name = patient.output(RECEIVE.output)
    wanted = patient.inspection.queue(patient.output("FailedInvocationsQueueUrl")).arn
    yield judged(
        name,
        good=patient.inspection.on_failure(name) == wanted,
        well="sends what it fails on to the queue of failed invocations",
        ill="what it fails on is lost: its failure destination is not the queue of failed invocations",
        remedy=f"aws lambda put-function-event-invoke-config --function-name {name} --maximum-retry-attempts 2 "
        f"""--destination-config '{{"OnFailure": {{"Destination": "{wanted}"}}}}'""",
    )


def queue(patient: Patient) -> Iterator[Finding]:
    """No message is worked on twice at a time, and none that cannot be handled stays in the way."""
    url = patient.output("PolicyChangesQueueUrl")
    found = patient.inspection.queue(url)
    timeout = patient.function(APPLY.output).timeout
    dead_letters = patient.inspection.queue(patient.output("PolicyChangesDeadLettersQueueUrl")).arn
    load = f"{counted(found.waiting, 'message')} waiting, {found.at_work} at work"
    if found.visibility < timeout:
        yield problem(
            "queue of changes",
            f"shows a message again after {found.visibility} s, and apply_policy may take {timeout} s: "
            "two runs could meet",
            f"aws sqs set-queue-attributes --queue-url {url} --attributes VisibilityTimeout={timeout + 60}",
        )
    elif found.redrive != dead_letters:
        yield problem("queue of changes", "has not the dead-letter queue of the stack: a message could block a cluster")
    else:
        yield ok("queue of changes", f"is set up; {load}")


def source(patient: Patient) -> Iterator[Finding]:
    """apply_policy is fed by the queue."""
    arn = patient.inspection.queue(patient.output("PolicyChangesQueueUrl")).arn
    name = patient.output(APPLY.output)
    found = next((item for item in patient.inspection.sources(name) if item.queue == arn), None)
    if found is None:
        yield problem(name, "is not fed by the queue of changes: nothing is applied")
        return
    mend = f"aws lambda update-event-source-mapping --uuid {found.uuid}"
    if found.state not in ("Enabled", "Enabling", "Updating"):
        yield problem(
            name, f"its feed from the queue of changes is {found.state}: nothing is applied", f"{mend} --enabled"
        )
    elif not found.reports:
        text = "its feed lacks ReportBatchItemFailures: a message that is to come again would be lost"
        yield problem(name, text, f"{mend} --function-response-types ReportBatchItemFailures")
    elif found.batch != 1:
        text = f"is fed {found.batch} messages at a time: one cluster would delay another"
        yield problem(name, text, f"{mend} --batch-size 1")
    else:
        yield ok(name, "is fed by the queue of changes, one message at a time")


def resync(patient: Patient) -> Iterator[Finding]:
    """The pass over all files is in the function's log."""
    if patient.parameter("LogLevel") not in ("", "INFO", "DEBUG"):
        return  # its line is not logged
    span = timedelta(minutes=RESYNC_MINUTES)
    group = patient.function(RECEIVE.output).log_group
    logged = patient.inspection.logged(group, "resync", (patient.now - span).timestamp())
    created = patient.stack.created if patient.stack else None
    if any(_is_pass(message) for message in logged):
        yield ok("resync", f"has passed over all files within the last {RESYNC_MINUTES} minutes")
    elif created is not None and patient.now - created < span:
        yield warning("resync", "has not passed over all files yet: the stack is new", "look again in a few minutes")
    else:
        text = f"no pass over all files is logged for the last {RESYNC_MINUTES} minutes"
        yield problem("resync", text, f"see the rule ResyncRule and the log group {group}")


def _is_pass(message: str) -> bool:
    try:
        line = json.loads(message)
    except ValueError:
        return False
    return isinstance(line, dict) and isinstance(line.get("resync"), dict)


def leftovers(about: str, output: str, what: str, remedy: str, patient: Patient) -> Iterator[Finding]:
    """A queue that should be empty."""
    url = patient.output(output)
    found = patient.inspection.queue(url)
    count = found.waiting + found.at_work
    yield judged(
        about,
        good=not count,
        well="none",
        ill=f"{count} {what}",
        remedy=f"{remedy}: aws sqs purge-queue --queue-url {url}",
    )


STACK_CHECKS = (
    Check("stack", stack),
    Check("outputs", outputs),
    Check("policies bucket: versions", functools.partial(versions, "policies")),
    Check("policies bucket: events", events),
    Check("rule ObjectRule", functools.partial(rule, "ObjectRule", RECEIVE, "files are only seen every five minutes")),
    Check("rule ResyncRule", functools.partial(rule, "ResyncRule", RECEIVE, "what an event missed stays undone")),
    Check("receive_policy", functools.partial(function, RECEIVE)),
    Check("receive_policy: concurrency", functools.partial(concurrency, RECEIVE)),
    Check("receive_policy: failures", failures),
    Check("apply_policy", functools.partial(function, APPLY)),
    Check("apply_policy: concurrency", functools.partial(concurrency, APPLY)),
    Check("apply_policy: source", source),
    Check("queue of changes", queue),
    Check("resync", resync),
    *(Check(each[0], functools.partial(leftovers, *each)) for each in _LEFTOVERS),
    Check("rule VerifyAddonRule", functools.partial(rule, "VerifyAddonRule", VERIFY, "add-ons are not looked at")),
    Check("verify_addon", functools.partial(function, VERIFY)),
    Check("verify_addon: concurrency", functools.partial(concurrency, VERIFY)),
    Check("alarms", alarms),
    Check("notifications", listeners),
    Check("policies bucket: public access", functools.partial(private, "policies")),
    Check("records bucket: public access", functools.partial(private, "records")),
    Check("records bucket: versions", functools.partial(versions, "records")),
    Check("policies bucket: encryption", functools.partial(encrypted, "policies")),
    Check("records bucket: encryption", functools.partial(encrypted, "records")),
    Check("records bucket: lifecycle", lifecycle),
    Check("logs", retention),
)
"""The order is that of the way of a file, then what only matters later."""
