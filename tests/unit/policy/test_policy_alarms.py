"""The block ``alarms``: which team has which alarm, until when one is mute, and that nothing else depends on it."""

import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given

from governor.aws.service_model import service_limits
from governor.checks import PolicyFile
from governor.plan import Record, desired_by
from governor.policy import (
    Alarms,
    BorrowingAlarm,
    ClusterPolicy,
    Parsed,
    Policy,
    PriorityClass,
    Sharing,
    Team,
    borrowing_alarms,
    default_borrowing_alarm,
    parse_policy,
    readable_alarms,
)
from governor.policy.writing import policy_text
from governor.quota import QuotaEntry
from tests.strategies import policies
from tests.support.world import World, policy_of, two_teams

ALARMS = "alarms: {borrowing: {percent: 50}}"
MUTED = "2027-01-31T08:00:00+01:00"
TEAMS = """\
teams:
  - {name: plain, quota: []}
  - {name: own, quota: [], alarms: {borrowing: {percent: 80}}}
  - {name: muted, quota: [], alarms: {borrowing: {percent: 5, muteUntil: 1970-01-02}}}
  - {name: off, quota: [], alarms: null}
  - {name: none, quota: [], alarms: {borrowing: null}}
"""
OWN = {"own": BorrowingAlarm(80), "muted": BorrowingAlarm(5, 86400), "off": None, "none": None}


def _parsed(body: str) -> Parsed:
    return PolicyFile("policy.yaml", f"version: 1\ncluster: c\n{body}".encode()).parse(service_limits())


def _policy(body: str) -> Policy:
    policy = _parsed(body).policy
    assert policy is not None
    return policy


@pytest.mark.parametrize(
    ("block", "default"),
    [
        ("", None),
        ("alarms: null\n", None),
        ("alarms: ~\n", None),
        ("alarms: {borrowing: null}\n", None),
        (f"{ALARMS}\n", BorrowingAlarm(50)),
    ],
)
def test_a_team_has_its_own_alarm_or_none_or_the_default(block: str, default: BorrowingAlarm | None) -> None:
    policy = _policy(f"{block}{TEAMS}")
    assert default_borrowing_alarm(policy) == default
    assert borrowing_alarms(policy) == {"plain": default, **OWN}


def test_null_for_the_file_is_as_if_nothing_were_said_and_for_a_team_it_is_not() -> None:
    policy = _policy("alarms: null\nteams: [{name: a, quota: []}, {name: b, quota: [], alarms: null}]")
    assert policy.alarms is None
    assert [team.alarms for team in policy.teams] == [msgspec.UNSET, None]


def _muted(text: str) -> int | None:
    policy = _policy(f"alarms: {{borrowing: {{percent: 50, muteUntil: {text}}}}}\nteams: []")
    alarm = default_borrowing_alarm(policy)
    assert alarm is not None
    return alarm.mute_until


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("'2027-01-31'", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2028-02-29", datetime(2028, 2, 29, tzinfo=UTC)),
        ("2027-01-31T08:00:00Z", datetime(2027, 1, 31, 8, tzinfo=UTC)),
        ('"2027-01-31T08:00:00Z"', datetime(2027, 1, 31, 8, tzinfo=UTC)),
        ("2027-01-31T08:00:00+01:00", datetime(2027, 1, 31, 7, tzinfo=UTC)),
        ("2027-01-31T20:30:00-05:30", datetime(2027, 2, 1, 2, tzinfo=UTC)),
        ("2027-01-31T08:00:00.999Z", datetime(2027, 1, 31, 8, tzinfo=UTC)),
        ("1970-01-01", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2100-12-31T23:59:59Z", datetime(2100, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_day_begins_in_utc_and_a_time_has_its_zone(text: str, moment: datetime) -> None:
    assert _muted(text) == int(moment.timestamp())


def test_block_style_and_json_say_the_same() -> None:
    block = f"alarms:\n  borrowing:\n    percent: 50\n    muteUntil: {MUTED}\nteams:\n  - name: a\n    quota: []\n"
    content = {
        "version": 1,
        "cluster": "c",
        "alarms": {"borrowing": {"percent": 50, "muteUntil": MUTED}},
        "teams": [{"name": "a", "quota": []}],
    }
    assert parse_policy(json.dumps(content).encode(), service_limits(), json=True).policy == _policy(block)


def test_an_alarm_that_is_muted_in_the_past_says_nothing() -> None:
    teams = "".join(f"  - {{name: {name}, fairShareWeight: 1, quota: [{{instanceType: ml.g5.8xlarge, count: 2}}]}}\n"
                    for name in "ab")  # fmt: skip
    parsed = _parsed(f"alarms: {{borrowing: {{percent: 50, muteUntil: 1970-01-01}}}}\nteams:\n{teams}")
    assert parsed.policy is not None
    assert parsed.diagnostics == ()


@pytest.mark.parametrize(
    ("alarms", "line"),
    [
        (Alarms(BorrowingAlarm(50)), "alarms: {borrowing: {percent: 50}}"),
        (
            Alarms(BorrowingAlarm(50, 1_801_382_400)),
            "alarms: {borrowing: {percent: 50, muteUntil: '2027-01-31T08:00:00Z'}}",
        ),
        (Alarms(None), "alarms: {borrowing: null}"),
    ],
)
def test_alarms_are_written_as_a_person_would(alarms: Alarms, line: str) -> None:
    text = policy_text(Policy("c", (Team("a", (), alarms=alarms), Team("b", (), alarms=None)), alarms=alarms))
    assert text.splitlines()[2:] == [
        line,
        "teams:",
        *("  - name: a", "    quota: []", f"    {line}"),
        *("  - name: b", "    quota: []", "    alarms: null"),
    ]


def test_a_policy_that_says_nothing_of_alarms_is_written_without_them() -> None:
    assert "alarms" not in policy_text(Policy("c", (Team("a", ()),)))


@given(policies())
def test_a_sound_file_reads_as_one_that_may_have_errors(policy: Policy) -> None:
    parsed = parse_policy(policy_text(policy).encode(), service_limits())
    assert readable_alarms(parsed.root) == (borrowing_alarms(policy), default_borrowing_alarm(policy))


def test_a_file_of_a_later_release_still_gives_the_alarms_that_can_be_read() -> None:
    parsed = _parsed(f"{ALARMS}\ndrift: {{remediate: Never}}\n{TEAMS}  - {{name: odd, quota: 5, later: 1}}\n")
    assert parsed.policy is None
    assert readable_alarms(parsed.root) == (
        {"plain": BorrowingAlarm(50), **OWN, "odd": BorrowingAlarm(50)},
        BorrowingAlarm(50),
    )


def test_what_cannot_be_read_is_no_alarm() -> None:
    parsed = _parsed(
        f"{ALARMS}\nteams:\n  - {{name: a, alarms: {{borrowing: {{percent: 0}}}}}}\n  - {{name: b, alarms: }}\n"
        "  - {alarms: {borrowing: {percent: 9}}}\n  - 7\n"
    )
    assert readable_alarms(parsed.root) == ({"a": None, "b": None}, BorrowingAlarm(50))
    assert readable_alarms(_parsed("alarms: [5]\nteams: [{name: a}]").root) == ({"a": None}, None)
    assert readable_alarms(_parsed("teams: {name: a}").root) == ({}, None)


@pytest.mark.parametrize("data", [b"", b"- 1\n", b"5", b"a: [", b"\xff"])
def test_no_policy_at_all_has_no_alarms(data: bytes) -> None:
    assert readable_alarms(parse_policy(data, service_limits()).root) == ({}, None)


PINNED = Policy(
    "ml-research",
    (
        Team(
            "vision",
            (QuotaEntry("ml.g5.8xlarge", count=2), QuotaEntry("ml.g5.12xlarge", accelerators=4)),
            fair_share_weight=60,
            sharing=Sharing("LendAndBorrow", 50),
        ),
        Team(
            "language",
            (QuotaEntry("ml.g5.8xlarge", count=2),),
            quota_name="own",
            description="x",
            preempt_team_tasks="Never",
            activation="Enabled",
        ),
    ),
    ClusterPolicy((PriorityClass("training", 75),), "Enabled"),
)
DIGEST = "45c91272a085935a5ab9e8418586ebf022ba6e0489f620c017452e9f1c494fbc"
"""As releases before the block made it: records and approvals hold it, so it must never change."""


def test_the_digest_of_a_policy_is_that_of_earlier_releases_whatever_its_alarms() -> None:
    assert desired_by(PINNED).digest == DIGEST
    vision, language = PINNED.teams
    alarming = msgspec.structs.replace(
        PINNED,
        alarms=Alarms(BorrowingAlarm(50)),
        teams=(
            msgspec.structs.replace(vision, alarms=None),
            msgspec.structs.replace(language, alarms=Alarms(BorrowingAlarm(80, 5))),
        ),
    )
    assert desired_by(alarming) == desired_by(PINNED)
    assert desired_by(alarming).digest == DIGEST


def test_a_record_holds_nothing_of_alarms() -> None:
    desired = desired_by(policy_of(two_teams(cluster_policy=ALARMS, extra="  - {name: c, quota: [], alarms: null}")))
    assert b"alarms" not in msgspec.json.encode(Record("arn", "c", desired=desired))


def test_a_change_of_alarms_alone_changes_nothing_in_the_cluster() -> None:
    world = World()
    extra = "  - {{name: team-c, quota: [], alarms: {}}}\n"
    world.apply(two_teams(extra=extra.format("null")))
    writes, record = world.writes(), world.records.load(world.arn)

    changed = two_teams(cluster_policy=ALARMS, extra=extra.format("{borrowing: {percent: 80}}"))
    plan = world.plan(changed)
    outcome = world.apply(changed)

    assert (plan.steps, plan.findings) == ((), ())
    assert outcome.verdict == "Unchanged"
    assert world.writes() == writes
    assert world.records.load(world.arn) == record


def test_an_approval_of_a_plan_holds_when_only_alarms_changed_since() -> None:
    world = World()
    world.apply(two_teams(extra="  - {name: team-c, quota: []}\n"))
    held = world.plan(two_teams())
    assert held.held

    changed = two_teams(cluster_policy=ALARMS)
    assert world.plan(changed).fingerprint == held.fingerprint
    assert world.apply(changed, approve=held.fingerprint).verdict == "Applied"
