"""Checks of a deployment itself: its stack, buckets, rules, functions, queues, alarms. Each a small function."""

import functools
import json
from collections.abc import Iterator
from datetime import timedelta

from governor.cli.checkup import Check, Finding, Patient, judged, ok, problem, warning
from governor.policy.wording import counted

RECEIVE, APPLY = "ReceivePolicyFunctionName", "ApplyPolicyFunctionName"
OUTPUTS = (
    "PoliciesBucketName",
    "RecordsBucketName",
    "PolicyChangesQueueUrl",
    "PolicyChangesDeadLettersQueueUrl",
    "UndeliveredEventsQueueUrl",
    "FailedInvocationsQueueUrl",
    "NotificationsTopicArn",
    RECEIVE,
    APPLY,
)
HEALTHY = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
NEW = timedelta(hours=2)
"""A stack so young may not have been invoked by all of its rules."""
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
        "see whether receive_policy is active; the resync catches up; then",
    ),
    (
        "failed invocations",
        "FailedInvocationsQueueUrl",
        "events that receive_policy failed on three times",
        "read its log for the request ids in the messages; then",
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


def rule(logical: str, what: str, patient: Patient) -> Iterator[Finding]:
    """A rule is on, reaches receive_policy, and what it cannot deliver is kept."""
    found = patient.inspection.rule(patient.resource(logical).rpartition("|")[2])
    about = f"rule {logical}"
    if not found.enabled:
        yield problem(about, f"is disabled: {what}", f"aws events enable-rule --name {found.name}")
        return
    receiver = patient.function(RECEIVE).arn
    dead_letters = [queue for target, queue in found.targets if target == receiver]
    if not dead_letters:
        yield problem(about, f"does not reach receive_policy: {what}")
    elif not all(dead_letters):
        yield problem(about, "has no dead-letter queue: an event that cannot be delivered is lost")
    else:
        yield ok(about, "is enabled and reaches receive_policy, with a dead-letter queue")


def function(output: str, patient: Patient) -> Iterator[Finding]:
    """A function is active, and runs what it was built for."""
    found = patient.function(output)
    wanted = (patient.parameter("Runtime"), patient.parameter("Architecture"))
    told = f"{found.runtime} on {found.architecture}, {found.timeout} s, last changed {found.modified[:19]}"
    if found.state not in ("Active", "Inactive"):
        yield problem(found.name, f"is {found.state}: {found.reason}")
    elif found.update == "Failed":
        yield problem(found.name, f"its last update failed: {found.reason}")
    elif all(wanted) and (found.runtime, found.architecture) != wanted:
        yield problem(
            found.name,
            f"runs {found.runtime} on {found.architecture}, and its layers were built for {wanted[0]} on {wanted[1]}",
        )
    else:
        yield ok(found.name, f"is {found.state.lower()}: {told}")


def concurrency(output: str, patient: Patient) -> Iterator[Finding]:
    """A reserved concurrency of 0 is how a function is switched off."""
    name = patient.output(output)
    reserved = patient.inspection.reserved(name)
    yield judged(
        name,
        good=reserved != 0,
        well="may run" + (f"; concurrency of {reserved} reserved" if reserved else ""),
        ill="is switched off: its reserved concurrency is 0",
        remedy=f"aws lambda delete-function-concurrency --function-name {name}",
    )


def failures(patient: Patient) -> Iterator[Finding]:
    """What receive_policy fails on for good is kept."""
    name = patient.output(RECEIVE)
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
    timeout = patient.function(APPLY).timeout
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
    name = patient.output(APPLY)
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
    group = patient.function(RECEIVE).log_group
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


def alarms(patient: Patient) -> Iterator[Finding]:
    """No alarm rings, none is gone, each tells somebody."""
    names = patient.of_kind("AWS::CloudWatch::Alarm")
    found = patient.inspection.alarms(names)
    ringing = [alarm for alarm in found if alarm.state == "ALARM"]
    created = patient.stack.created if patient.stack else None
    is_new = created is not None and patient.now - created < NEW
    for alarm in ringing:
        # A verdict is news, not an illness of the deployment; and what comes once an hour may still be to come.
        tell = warning if alarm.about_policies or (alarm.about_silence and is_new) else problem
        yield tell(f"alarm {alarm.name}", f"rings: {alarm.reason}", alarm.description)
    gone = sorted(set(names) - {alarm.name for alarm in found})
    if gone or not names:
        yield problem("alarms", f"{', '.join(gone) or 'all of them'} missing")
    mute = [alarm.name for alarm in found if not alarm.tells]
    if mute:
        yield warning(
            "alarms",
            f"{', '.join(mute)} would ring and tell nobody",
            f"aws cloudwatch enable-alarm-actions --alarm-names {' '.join(mute)}",
        )
    if not (ringing or gone or mute) and names:
        yield ok("alarms", f"{counted(len(found), 'alarm')}, none rings")


def retention(patient: Patient) -> Iterator[Finding]:
    """Logs end one day."""
    groups = patient.of_kind("AWS::Logs::LogGroup")
    endless = [group for group in groups if patient.inspection.retention(group) is None]
    if endless:
        command = f"aws logs put-retention-policy --log-group-name {endless[0]} --retention-in-days 90"
        yield warning("logs", f"{', '.join(endless)}: kept for ever", command)
    elif not groups:
        yield warning("logs", "the stack has no log groups of its own: Lambda's are kept for ever")
    else:
        yield ok("logs", f"{counted(len(groups), 'log group')}, all with an end")


def listeners(patient: Patient) -> Iterator[Finding]:
    """Somebody hears of what waits for a person."""
    topic = patient.output("NotificationsTopicArn")
    confirmed, pending = patient.inspection.subscriptions(topic)
    subscribe = f"aws sns subscribe --topic-arn {topic} --protocol email --notification-endpoint ADDRESS"
    if pending:
        text = f"{counted(pending, 'subscription')} not confirmed yet, {confirmed} confirmed"
        yield warning("notifications", text, "open the message from AWS Notifications and confirm")
    elif not confirmed:
        yield warning("notifications", "nobody listens: a held plan would be seen by nobody", subscribe)
    else:
        yield ok("notifications", f"{counted(confirmed, 'subscription')}")


STACK_CHECKS = (
    Check("stack", stack),
    Check("outputs", outputs),
    Check("policies bucket: versions", functools.partial(versions, "policies")),
    Check("policies bucket: events", events),
    Check("rule ObjectRule", functools.partial(rule, "ObjectRule", "files are only seen every five minutes")),
    Check("rule ResyncRule", functools.partial(rule, "ResyncRule", "what an event missed stays undone")),
    Check("receive_policy", functools.partial(function, RECEIVE)),
    Check("receive_policy: concurrency", functools.partial(concurrency, RECEIVE)),
    Check("receive_policy: failures", failures),
    Check("apply_policy", functools.partial(function, APPLY)),
    Check("apply_policy: concurrency", functools.partial(concurrency, APPLY)),
    Check("apply_policy: source", source),
    Check("queue of changes", queue),
    Check("resync", resync),
    *(Check(each[0], functools.partial(leftovers, *each)) for each in _LEFTOVERS),
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
