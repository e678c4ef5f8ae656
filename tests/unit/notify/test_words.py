"""What a message says: how much, as of when, since when, what to do, where to look."""

from datetime import timedelta

import msgspec
import pytest

from governor.notify.phrases import ordinal
from governor.records.names import usage_key
from governor.records.usages import Kind, UsageSeen
from tests.unit.notify.office import BEGAN, POLICY, Office


def test_a_message_from_its_first_line_to_its_last() -> None:
    office = Office()
    office.remember()
    office.happens("ALARM", 1)
    ((subject, text),) = office.messages
    assert subject == "HyperPod Governor: vision lives on borrowed compute on ml"
    assert text.splitlines() == [
        "vision lives on borrowed compute on ml",
        "",
        "Team vision of cluster ml borrows 1 accelerator, 50 % of the 2 accelerators that it is guaranteed; its policy "
        "alarms from 50 % on.",
        "It borrows from:",
        "  - nlp lends 1 nvidia.com/gpu in g5",
        "Who waits for it:",
        "  - nlp waits below its guarantee and could have 1 nvidia.com/gpu back",
        "Figures as of 12:00 UTC.",
        "",
        "What to do: nothing, if this is what idle compute is for: Kueue takes it back when its owner needs it. "
        "Otherwise give the team more quota or a lower sharing.borrowLimit in policies/ml.yaml, or raise "
        "alarms.borrowing.percent, or be quiet for a while with alarms.borrowing.muteUntil.",
        "",
        "Since 2026-11-24 11:53 UTC.",
        "",
        "Where to look: governor usage ml",
        "  record: s3://records/clusters/id1/usage.json",
        "  dashboard: https://dash",
    ]


def test_the_end_from_its_first_line_to_its_last() -> None:
    office = Office()
    office.remember()
    office.happens("ALARM")
    office.at(63)
    office.remember(used=2, lent=0)
    office.happens("OK", 63)
    subject, text = office.messages[-1]
    assert subject == "HyperPod Governor: Over: vision lives on borrowed compute on ml"
    assert text.splitlines()[:4] == [
        "Over: vision lives on borrowed compute on ml",
        "",
        "This is over: team vision of cluster ml no longer borrows more than its policy lets pass.",
        "It lasted from 2026-11-24 11:53 UTC to 2026-11-24 13:03 UTC, 1 h 10 min.",
    ]


@pytest.mark.parametrize(
    ("kind", "team", "line"),
    [
        ("Starved", "nlp", "  - 1 nvidia.com/gpu in g5 from vision"),
        (
            "Starved",
            "nlp",
            "Team nlp of cluster ml has less than it is guaranteed and 4 workloads of it waiting, while others borrow.",
        ),
        ("QuotaAboveCapacity", "", "  - 4 nvidia.com/gpu in g5 promised, 1 more than there is"),
        ("OverBorrowing", "vision", "  - nlp lends 1 nvidia.com/gpu in g5"),
    ],
)
def test_what_is_told_of_each_kind(kind: Kind, team: str, line: str) -> None:
    office = Office()
    office.remember()
    assert office.happens("ALARM", kind=kind, team=team) == "told"
    ((subject, text),) = office.messages
    lines = text.splitlines()
    assert line in lines
    assert "Figures as of 12:00 UTC." in lines
    assert any(each.startswith("What to do: ") for each in lines)
    assert "Where to look: governor usage ml" in lines
    assert any(each.startswith("Since 2026-11-24 ") for each in lines)
    assert (len(subject) <= 100, subject.isascii()) == (True, True)


def test_of_a_cluster_that_cannot_be_read_the_reason_and_how_many_incidents_are_open() -> None:
    office = Office()
    office.remember()
    office.happens("ALARM")
    office.fails("the API is private")
    office.happens("ALARM", 5, kind="CouldNotRead")
    text = office.messages[-1][1]
    assert "can ring: the API is private.\n1 incident of the cluster is open meanwhile: " in text
    assert "Figures" not in text
    assert "Since 2026-11-24 12:00 UTC." in text


def test_of_a_policy_that_cannot_be_read_what_is_wrong_with_it() -> None:
    office = Office()
    office.govern(text="version: 2\ncluster: ml\n")
    office.remember(unread="this release cannot read the policy in force")
    assert office.happens("ALARM", kind="CouldNotRead") == "told"
    assert office.subjects == ["not all of ml can be read"]
    assert "could be read: this release cannot read the policy in force." in office.messages[0][1]


def test_figures_of_a_cluster_that_cannot_be_read_are_called_old() -> None:
    office = Office()
    office.remember()
    office.at(24 * 60)
    office.fails()
    office.happens("ALARM", 24 * 60)
    assert (
        "These figures are old, as of 2026-11-24 12:00 UTC: the connection is refused."
        in office.messages[0][1].splitlines()
    )
    assert "Since 2026-11-25 12:00 UTC." in office.messages[0][1]  # what the old record says began then is another one


def test_figures_that_nobody_read_for_minutes_are_called_old() -> None:
    office = Office()
    office.remember()
    office.happens("ALARM", 6)
    assert "These figures are old, as of 12:00 UTC: no usage of it has been read for some minutes." in (
        office.messages[0][1].splitlines()
    )


def test_figures_that_were_new_when_it_rang_are_old_when_it_is_told_much_later() -> None:
    office = Office()
    office.remember()
    office.at(300)
    office.happens("ALARM", 1)
    assert "These figures are old, as of 12:00 UTC: " in office.messages[0][1]
    assert "Since 2026-11-24 11:53 UTC." in office.messages[0][1]


def test_an_old_record_by_which_it_was_not_so_yet_gives_no_figures() -> None:
    office = Office()
    office.remember(used=2, lent=0)
    office.happens("ALARM", 6)
    text = office.messages[0][1]
    assert "how much is not on record" in text
    assert "igures" not in text


@pytest.mark.parametrize(
    ("kind", "team", "sentence"),
    [
        ("OverBorrowing", "vision", "team vision of cluster ml no longer borrows more than its policy lets pass."),
        ("Starved", "nlp", "team nlp of cluster ml no longer waits below its guarantee while others borrow."),
        ("QuotaAboveCapacity", "", "the quotas of cluster ml no longer promise more than its nodes have."),
        ("CouldNotRead", "", "the usage of cluster ml can be read again."),
    ],
)
def test_an_alarm_that_is_heard_of_when_it_is_over_says_so(kind: Kind, team: str, sentence: str) -> None:
    office = Office()
    office.at(40)
    office.remember(used=2, lent=0, nodes=4)
    assert office.happens("ALARM", 3, kind=kind, team=team) == "told"
    (subject,) = office.subjects
    text = office.messages[0][1]
    assert subject.startswith("No longer so: ")
    assert f"The alarm rang at 2026-11-24 12:03 UTC, but as of 12:40 UTC it is not so any more: {sentence}" in text
    assert "Since" not in text


def test_an_alarm_of_a_team_that_is_gone_by_now_says_so() -> None:
    office = Office()
    office.remember()
    office.govern(text=POLICY % "null")
    assert office.happens("ALARM") == "told"
    assert "as of 12:00 UTC it is not so any more: the policy has no alarm about borrowing" in office.messages[0][1]


def test_promises_that_the_alarm_does_not_count_are_not_listed() -> None:
    office = Office()
    office.remember()
    kept = office.documents.load(usage_key("id1"), UsageSeen)
    assert kept is not None
    usage = kept.document.usage
    assert usage is not None
    assert usage.capacity is not None
    (gpu,) = usage.capacity
    cpu = msgspec.structs.replace(gpu, resource="cpu", promised=64_000, above=32_000)
    office.remember(usage=msgspec.structs.replace(usage, capacity=(gpu, cpu)))
    office.happens("ALARM", kind="QuotaAboveCapacity")
    assert "1 more than there is" in office.messages[0][1]
    assert "cpu" not in office.messages[0][1]


def test_names_begin_no_lines_and_fit_a_subject() -> None:
    office = Office()
    office.happens("ALARM", team="x\nSubject: evil\x1b[31m é" + "y" * 200)
    ((subject, text),) = office.messages
    assert len(subject) <= 100
    assert subject.isascii()
    assert "\x1b" not in text
    assert not any(line.startswith("Subject:") for line in text.splitlines())


def test_what_is_below_a_minute_has_no_length() -> None:
    office = Office()
    office.remember()
    office.happens("ALARM", kind="Starved", team="nlp")
    office.remember(used=2, lent=0)
    office.happens("OK", 0.5, kind="Starved", team="nlp")
    assert "It lasted from 2026-11-24 12:00 UTC to 2026-11-24 12:00 UTC.\n" in office.messages[-1][1]
    assert office.incident("Starved", "nlp").at == BEGAN + timedelta(seconds=30)


def test_ordinals() -> None:
    assert [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 22)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "12th",
        "13th",
        "21st",
        "22nd",
    ]
