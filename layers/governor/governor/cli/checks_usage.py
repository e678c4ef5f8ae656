"""Checks of what publishes usage and tells of it: two rules, two functions, and when each cluster was read last."""

import functools
from collections.abc import Iterator
from datetime import datetime, timedelta

from governor.aws.inspection import NotAllowedError
from governor.cli.checks_functions import NOTIFY, PUBLISH, concurrency, function, rule, rule_name
from governor.cli.checkup import Check, Finding, Patient, ok, problem, warning
from governor.cli.standing import age
from governor.errors import GovernorError
from governor.policy.wording import printable
from governor.records.documents import Standing
from governor.records.names import cluster_id_of_in_force, in_force_key, usage_key
from governor.records.parallel import side_by_side
from governor.records.usages import UsageSeen

LATE = timedelta(minutes=5)
"""A pass is due every minute; so much covers passes that were slow and clocks that differ."""
CLOCKS_APART = timedelta(minutes=5)
"""What is dated further ahead was written, or is read, by a clock that is wrong."""
_ABOUT, _RULE = "usage", "PublishMetricsRule"


def publishing(patient: Patient) -> Iterator[Finding]:
    """The rule of publish_metrics is as PublishUsage says."""
    if not _is_switched_off(patient):
        yield from rule(_RULE, PUBLISH, "usage is not published", patient)
        return
    about, found = f"rule {_RULE}", patient.inspection.rule(rule_name(_RULE, patient))
    if found.enabled:
        text = "is enabled though PublishUsage is Disabled: usage is published, and paid for, every minute"
        yield warning(about, text, f"aws events disable-rule --name {found.name}")
    else:
        yield ok(about, "usage is not published: PublishUsage is Disabled")


def _is_switched_off(patient: Patient) -> bool:
    """True where the stack says that usage is not to be published; not where the stack cannot be looked at."""
    return patient.stack is not None and patient.parameter("PublishUsage") == "Disabled"


def published(patient: Patient) -> Iterator[Finding]:
    """When usage of each governed cluster was published last, and why it was not since."""
    if _is_switched_off(patient):
        return
    identities = [identity for key in patient.cluster_keys if (identity := cluster_id_of_in_force(key)) is not None]
    for _, found in side_by_side(identities, lambda identity: _cluster(patient, identity)):
        if found is not None:
            yield found


def _cluster(patient: Patient, identity: str) -> Finding | None:
    """None for a cluster that was released."""
    try:
        force = patient.load(in_force_key(identity), Standing)
        if force is None or force.state == "Released":
            return None
        seen = patient.load(usage_key(identity), UsageSeen)
    except NotAllowedError:
        raise
    except GovernorError as error:
        return Finding("could not look", f"{_ABOUT}: {identity}", str(error))
    return _judged(printable(force.cluster_name), seen, patient.now)


def _judged(cluster: str, seen: UsageSeen | None, now: datetime) -> Finding:
    about, stopped = f"{_ABOUT}: {cluster}", f"a pass is due every minute: see {_RULE}, and the log of publish_metrics"
    if seen is None:
        return warning(about, "was not published yet", stopped)
    if seen.at - now > CLOCKS_APART:
        return warning(about, f"is dated {age(now, seen.at)} ahead of this clock", "set the clock, or start NTP")
    told = age(seen.at, now)
    if seen.trouble:
        since = f"{seen.trouble_since or seen.at:%Y-%m-%d %H:%M} UTC"
        text = f"cannot be read since {since}, tried last {told} ago: {seen.trouble}"
        return problem(about, text, f"mend what it says; 'governor usage {cluster}' reads it with your own credentials")
    if now - seen.at > LATE:
        return warning(about, f"was published last {told} ago", stopped)
    if seen.unread:
        text = f"was published {told} ago, and not all of it: {seen.unread}"
        return warning(about, text, "mend what it says; the next minute reads it all")
    return ok(about, f"was published {told} ago")


USAGE_CHECKS = (
    Check(f"rule {_RULE}", publishing),
    Check("publish_metrics", functools.partial(function, PUBLISH)),
    Check("publish_metrics: concurrency", functools.partial(concurrency, PUBLISH)),
    Check(
        "rule NotifyUsageRule",
        functools.partial(rule, "NotifyUsageRule", NOTIFY, "nobody is told what the alarms of usage say"),
    ),
    Check("notify_usage", functools.partial(function, NOTIFY)),
    Check("notify_usage: concurrency", functools.partial(concurrency, NOTIFY)),
    Check(_ABOUT, published),
)
