"""Once per incident, once when it is over, quiet while muted; of the right cluster, whatever else is damaged."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from governor.errors import AccessError, TransientError
from governor.notify import Transition
from governor.records.names import in_force_key, incident_key, usage_key
from governor.records.usages import Kind
from tests.unit.notify.office import BEGAN, POLICY, Office

KINDS: tuple[Kind, ...] = ("Starved", "QuotaAboveCapacity", "CouldNotRead", "OverBorrowing")


def ends(office: Office, minutes: float) -> str:
    """The team borrows no more, which publish_metrics sees, and then the alarm is quiet."""
    office.at(minutes)
    office.remember(used=2, lent=0)
    return office.happens("OK", minutes)


def begins(office: Office, minutes: float) -> str:
    office.at(minutes)
    office.remember()
    return office.happens("ALARM", minutes)


def test_an_incident_is_told_once_and_once_when_it_is_over() -> None:
    office = Office()
    told = [begins(office, 0), office.happens("ALARM"), office.happens("ALARM", 1)]
    told += [ends(office, 63), office.happens("OK", 63)]
    assert told == ["told", "repeated", "repeated", "told", "repeated"]
    assert [subject for subject, _ in office.messages] == [
        "HyperPod Governor: vision lives on borrowed compute on ml",
        "HyperPod Governor: Over: vision lives on borrowed compute on ml",
    ]


def test_it_begins_again_and_after_the_first_time_says_so() -> None:
    office = Office()
    for minutes in (0, 8, 16):
        assert (begins(office, minutes), ends(office, minutes + 4)) == ("told", "told")
    assert begins(office, 100) == "told"
    assert [("for the 2nd time within" in text, "for the 3rd time within" in text) for _, text in office.messages] == [
        (False, False),
        (False, False),
        (True, False),
        (False, False),
        (False, True),
        (False, False),
        (False, False),
    ]


@pytest.mark.parametrize(("ended", "begun"), [(4, 20), (55, 61)], ids=["long after its end", "not within the hour"])
def test_what_begins_as_another_one_is_not_called_again(ended: float, begun: float) -> None:
    office = Office()
    begins(office, 0), ends(office, ended)
    assert begins(office, begun) == "told"
    assert "time within the hour" not in office.messages[-1][1]


def test_what_nobody_heard_of_is_not_counted_as_again() -> None:
    office = Office()
    office.govern("2026-11-24T12:05:00Z")
    assert [begins(office, 1), ends(office, 2), begins(office, 6)] == ["muted", "quiet", "told"]
    assert "time within the hour" not in office.messages[-1][1]


def test_teams_and_kinds_are_incidents_of_their_own() -> None:
    office = Office()
    office.remember()
    assert office.happens("ALARM") == office.happens("ALARM", kind="Starved", team="nlp") == "told"
    assert office.happens("ALARM", team="a/b ü") == office.happens("ALARM", kind="CouldNotRead") == "told"
    assert office.bucket.keys("clusters/id1/incidents/") == [
        "clusters/id1/incidents/CouldNotRead/cluster.json",
        "clusters/id1/incidents/OverBorrowing/a%2Fb%20%C3%BC.json",
        "clusters/id1/incidents/OverBorrowing/vision.json",
        "clusters/id1/incidents/Starved/nlp.json",
    ]


@pytest.mark.parametrize("team", ["in-force", "addon", "usage", "cluster", ".."])
def test_no_name_of_a_team_is_taken_for_another_document(team: str) -> None:
    office = Office()
    assert [office.happens("ALARM", team=team), office.happens("ALARM", team=team)] == ["told", "repeated"]
    assert office.happens("ALARM") == "told"
    assert office.log.lines == []


def test_what_comes_late_changes_nothing() -> None:
    office = Office()
    told = [begins(office, 5), ends(office, 9), office.happens("ALARM", 4)]
    assert told == ["told", "told", "late"]
    assert begins(office, 10) == "told"


def test_a_late_alarm_whose_end_is_known_is_not_told() -> None:
    office = Office()
    office.remember()
    assert [office.happens("OK", 5), office.happens("OK", 7), office.happens("ALARM", 6)] == ["quiet", "quiet", "late"]
    assert office.messages == []


class TestMuted:
    """Somebody said not to tell."""

    def test_nothing_that_begins_is_told(self) -> None:
        office = Office()
        office.govern("2026-11-24T13:00:00Z")
        assert [begins(office, 1), ends(office, 2), begins(office, 3)] == ["muted", "quiet", "muted"]
        assert office.happens("ALARM", 3, kind="Starved") == "told"  # only borrowing is muted
        assert ends(office, 61) == "quiet"
        assert begins(office, 62) == "told"

    def test_what_goes_on_afterwards_is_told_with_the_next_event_and_not_with_the_same(self) -> None:
        office = Office()
        office.govern("2026-11-24T13:00:00Z")
        assert begins(office, 1) == "muted"
        office.at(61)
        assert [office.happens("ALARM", 1), office.happens("ALARM", 61)] == ["repeated", "told"]

    def test_an_alarm_that_a_rule_of_cloudwatch_mutes_is_not_told_and_a_later_one_is(self) -> None:
        office = Office()
        office.remember()
        told = [office.happens("ALARM", muted=True), office.happens("ALARM", muted=True), office.happens("ALARM", 1)]
        assert told == ["muted", "repeated", "told"]

    def test_an_end_that_a_rule_of_cloudwatch_mutes_is_one(self) -> None:
        office = Office()
        assert begins(office, 0) == "told"
        office.remember(used=2, lent=0)
        assert office.happens("OK", 1, muted=True) == "muted"
        assert begins(office, 2) == "told"


def test_a_message_that_did_not_go_out_goes_out_when_the_event_comes_again() -> None:
    office = Office()
    office.remember()
    office.fails_after = 0
    with pytest.raises(TransientError):
        office.happens("ALARM")
    office.fails_after = None
    assert office.happens("ALARM") == "told"


def test_damaged_records_of_usage_keep_nobody_from_being_told() -> None:
    office = Office()
    for key in (incident_key("id1", "OverBorrowing", "vision"), usage_key("id1")):
        office.bucket.upload(key, b"{")
    assert [office.happens("ALARM"), office.happens("ALARM")] == ["told", "repeated"]
    assert any("usage.json counts as missing" in line for line in office.log.lines)


@pytest.mark.parametrize("what", ["usage.json", "vision.json", "in-force.json"])
def test_what_may_not_be_read_is_no_damage(what: str) -> None:
    office = Office()

    def refuse(operation: str, key: str) -> None:
        if operation == "get" and key.endswith(what):
            raise AccessError("s3:GetObject is not allowed")

    office.bucket.before = refuse
    with pytest.raises(AccessError):
        office.happens("ALARM")
    assert office.messages == []


class TestWhichCluster:
    """A name is not always one cluster's."""

    def test_one_that_is_not_governed_is_nobodys(self) -> None:
        office = Office()
        assert office.happens("ALARM", cluster="other") == "nobodys"
        office.govern(state="Released")
        assert office.happens("ALARM") == "nobodys"

    @pytest.mark.parametrize("old", ["Leaving", "Releasing", "Released"])
    def test_the_one_that_a_policy_is_in_force_for(self, old: Any) -> None:
        office = Office()
        office.govern(identity="id2")
        office.now.advance(minutes=1)
        office.govern(state=old)  # of the one that was made anew under its name, and changed later
        assert office.happens("ALARM", 1) == "told"
        assert office.bucket.keys("clusters/id2/incidents/") != []

    def test_else_the_one_that_changed_last(self) -> None:
        office = Office()
        office.govern(state="Leaving")
        office.now.advance(minutes=1)
        office.govern(identity="id0", state="Leaving")
        assert office.happens("ALARM", 1) == "told"
        assert office.bucket.keys("clusters/id0/incidents/") != []

    @pytest.mark.parametrize("bad", [b"{", b'{"format": 99}'], ids=["damaged", "of another release"])
    def test_a_document_that_cannot_be_read_keeps_no_other_from_being_told(self, bad: bytes) -> None:
        office = Office()
        office.bucket.upload(in_force_key("id0"), bad)
        assert office.happens("ALARM") == "told"
        assert any("id0 is left out" in line for line in office.log.lines)

    def test_of_a_cluster_whose_policy_cannot_be_read_is_told_under_its_id(self) -> None:
        office = Office()
        office.remember()
        whole = office.bucket.text(in_force_key("id1"))
        office.bucket.upload(in_force_key("id1"), b"{")
        assert office.happens("ALARM", 5, kind="CouldNotRead", cluster="id1") == "told"
        assert "clusters/id1/in-force.json is damaged" in office.messages[-1][1]
        office.bucket.upload(in_force_key("id1"), whole)
        office.at(20)
        office.remember()
        assert office.happens("OK", 20, kind="CouldNotRead", cluster="id1") == "told"
        assert office.subjects == ["usage of id1 cannot be read", "Over: usage of id1 cannot be read"]


def test_two_events_of_a_storm_do_not_meet_in_one_document() -> None:
    office = Office()
    office.remember()
    met: list[str] = []

    def meanwhile(operation: str, key: str) -> None:
        if operation == "put" and not met:
            met.append(key)
            assert office.happens("ALARM", team="other") == "told"

    office.bucket.before = meanwhile
    assert office.happens("ALARM") == "told"
    assert len(office.bucket.versions(met[0])) == 1
    assert [operation for operation, key in office.bucket.calls if key == met[0]].count("put") == 1


def test_a_later_state_that_was_written_meanwhile_stays() -> None:
    office = Office()
    office.remember()
    done: list[str] = []

    def meanwhile(operation: str, key: str) -> None:
        if operation == "put" and "/incidents/" in key and not done:
            done.append(key)
            later = msgspec.structs.replace(incident, at=BEGAN + timedelta(minutes=9))
            office.bucket.upload(key, msgspec.json.encode(later))

    assert office.happens("ALARM") == "told"
    incident = office.incident()
    office.bucket.before = meanwhile
    office.happens("ALARM", 5)
    assert office.incident().at == BEGAN + timedelta(minutes=9)


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_record_the_beginning_is_told_all_the_same(kind: Kind) -> None:
    office = Office()
    assert office.happens("ALARM", kind=kind) == "told"
    assert "ml" in office.messages[0][1]


def test_an_alarm_of_a_team_that_the_policy_does_not_name_is_by_its_default() -> None:
    office = Office()
    office.govern(text=POLICY % "{borrowing: {percent: 50, muteUntil: 2026-11-25}}")
    assert office.handle(Transition("OverBorrowing", "ml", "other", "ALARM", BEGAN)).outcome == "muted"
