"""Checks of what tells people: alarms, notifications, and the logs that they are sent to."""

from collections.abc import Iterator
from datetime import timedelta

from governor.cli.checkup import Finding, Patient, ok, problem, warning
from governor.policy.wording import counted

NEW = timedelta(hours=2)
"""A stack so young may not have been invoked by all of its rules."""
ALARMS_OF_USAGE = ("OverBorrowingAlarm", "StarvedAlarm", "QuotaAboveCapacityAlarm", "UsageNotReadAlarm")
"""Those that have no action of their own: notify_usage tells people what they say, by the rule NotifyUsageRule."""
_USAGE_SILENT = "UsageSilentAlarm"


def alarms(patient: Patient) -> Iterator[Finding]:
    """No alarm rings, none is gone, each tells somebody."""
    names = patient.of_kind("AWS::CloudWatch::Alarm")
    found = patient.inspection.alarms(names)
    ringing = [alarm for alarm in found if alarm.state == "ALARM"]
    of_usage, silent = _named(patient, *ALARMS_OF_USAGE), _named(patient, _USAGE_SILENT)
    created = patient.stack.created if patient.stack else None
    is_new = created is not None and patient.now - created < NEW
    for alarm in ringing:
        # A verdict, or what teams do, is news, not an illness of the deployment; and what comes once an hour may still
        # be to come.
        is_news = alarm.about_policies or alarm.name in of_usage
        tell = warning if is_news or (is_new and (alarm.about_silence or alarm.name in silent)) else problem
        yield tell(f"alarm {alarm.name}", f"rings: {alarm.reason}", alarm.description)
    gone = sorted(set(names) - {alarm.name for alarm in found})
    if gone or not names:
        yield problem("alarms", f"{', '.join(gone) or 'all of them'} missing")
    mute = [alarm.name for alarm in found if not alarm.tells and alarm.name not in of_usage]
    if mute:
        yield warning(
            "alarms",
            f"{', '.join(mute)} would ring and tell nobody",
            f"aws cloudwatch enable-alarm-actions --alarm-names {' '.join(mute)}",
        )
    if not (ringing or gone or mute) and names:
        yield ok("alarms", f"{counted(len(found), 'alarm')}, none rings")


def _named(patient: Patient, *logical: str) -> set[str]:
    """Names in the account of those of these alarms that the stack has."""
    return {patient.resources[each].physical for each in logical if each in patient.resources}


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
