"""The demo's scenes about usage, between the steps of the workshop: borrowing is seen, told, and over."""

from collections.abc import Iterator
from contextlib import contextmanager

from local.minutes import pass_until
from local.people import People
from local.stage import Stage, say
from local.walkthrough import Step

ALARM = "OverBorrowingAlarm"


@contextmanager
def watched(stage: Stage) -> Iterator[People]:
    """Somebody subscribes to the notifications, before anything happens."""
    with People(stage.deployment) as people:
        stage.deployment.publish_metrics()
        stage.check(f"{ALARM} is OK while nobody borrows", seen=_rings_for(stage) == [])
        yield people


def after_a_step(stage: Stage, people: People, step: Step) -> None:
    """What is to be seen of usage then."""
    if step == "borrow":
        _rings(stage, people)
    elif step == "reclaim":
        _explains(stage)
        _is_over(stage, people)


def _rings(stage: Stage, people: People) -> None:
    shown = stage.governor("usage", stage.cluster)
    stage.check("who borrows of whom", seen=shown.status == 0 and "team-a" in shown.text and "borrow" in shown.text)
    _, minutes = pass_until(stage.deployment, lambda: _rings_for(stage) == ["team-a"], ALARM)
    say(f"{minutes} minutes of the alarms later, by the metrics that publish_metrics printed:", "2")
    stage.check(f"{ALARM} rings for team-a", seen=_rings_for(stage) == ["team-a"])
    told = _told(people, "team-a lives on borrowed compute")
    stage.check("people are told which team, how much, since when, what to do", seen="borrows 1 accelerator" in told)


def _explains(stage: Stage) -> None:
    shown = stage.governor("why", "imagenet-a", "--cluster", stage.cluster)
    stage.check("who preempted it", seen=shown.status == 0 and "mnist-b" in shown.text)


def _is_over(stage: Stage, people: People) -> None:
    _, minutes = pass_until(stage.deployment, lambda: _rings_for(stage) == [], f"the end of {ALARM}")
    say(f"{minutes} minutes of the alarms later:", "2")
    stage.check(f"{ALARM} is OK again", seen=_state(stage) == "OK")
    told = _told(people, "Over: team-a")
    stage.check("people are told that it is over, once", seen="no longer borrows more" in told)
    over = ["Over: " in subject for subject, _ in people.listen() if "borrowed compute" in subject]
    stage.check("and nothing was told twice", seen=over == [False, True] * (len(over) // 2))


def _rings_for(stage: Stage) -> list[str]:
    """The teams of the alarm's series that are in ALARM."""
    found = stage.deployment.aws.client("cloudwatch").describe_alarm_contributors(AlarmName=_alarm(stage))
    return [each["ContributorAttributes"]["team"] for each in found["AlarmContributors"]]


def _state(stage: Stage) -> str:
    (alarm,) = stage.deployment.aws.client("cloudwatch").describe_alarms(AlarmNames=[_alarm(stage)])["MetricAlarms"]
    state: str = alarm["StateValue"]
    return state


def _alarm(stage: Stage) -> str:
    return stage.deployment.aws.physical_id(ALARM, stage.deployment.stack)


def _told(people: People, words: str) -> str:
    """The message, shown."""
    subject, text = people.wait_for(words)
    say(f"    {subject}", "1")
    for line in text.splitlines():
        say(f"    {line}")
    return text
