"""That it is over is told when the record says so: not when nothing is known, and not when it still is so."""

from datetime import timedelta

import msgspec
import pytest

from governor.errors import TransientError
from governor.notify import Transition
from governor.notify.notifier import MOST_SETTLED
from governor.records.names import usage_key
from governor.records.usages import Kind, UsageSeen
from tests.unit.notify.office import BEGAN, POLICY, Office


def ringing(kind: Kind = "OverBorrowing", team: str = "vision") -> Office:
    """An incident that people were told of."""
    office = Office()
    office.remember()
    assert office.happens("ALARM", kind=kind, team=team) == "told"
    office.messages.clear()
    return office


def readable_again(office: Office, minutes: float) -> int:
    """The alarm about the cluster is quiet; how many others were told as over with it."""
    office.at(minutes)
    return office.handle(Transition("CouldNotRead", "ml", "", "OK", BEGAN + timedelta(minutes=minutes))).settled


def lose_sight(office: Office, why: str, minutes: float) -> None:
    office.at(minutes)
    match why:
        case "trouble":
            office.fails()
        case "no record":
            office.forget()
        case "no nodes":
            office.remember(nodes=None)
        case "a policy that cannot be read":
            office.remember(used=2, lent=0)
            office.govern(text="version: 2\ncluster: ml\n")
        case "stopped":
            pass


BLIND: list[tuple[Kind, str]] = [
    ("OverBorrowing", "trouble"),
    ("OverBorrowing", "no record"),
    ("OverBorrowing", "stopped"),
    ("OverBorrowing", "a policy that cannot be read"),
    ("Starved", "trouble"),
    ("Starved", "stopped"),
    ("QuotaAboveCapacity", "no nodes"),
    ("QuotaAboveCapacity", "trouble"),
    ("CouldNotRead", "no record"),
    ("CouldNotRead", "stopped"),
]


@pytest.mark.parametrize(("kind", "why"), BLIND)
def test_while_nothing_is_known_nothing_is_told_and_the_incident_stays(kind: Kind, why: str) -> None:
    team = "" if kind in ("QuotaAboveCapacity", "CouldNotRead") else "nlp" if kind == "Starved" else "vision"
    office = ringing(kind, team)
    lose_sight(office, why, 10)
    assert [office.happens("OK", 10, kind=kind, team=team), office.messages] == ["unseen", []]
    there = office.incident(kind, team)
    assert (there.state, there.told, there.unseen) == ("ALARM", True, BEGAN + timedelta(minutes=10))
    assert [office.happens("ALARM", 20, kind=kind, team=team), office.messages] == ["repeated", []]
    assert office.incident(kind, team).unseen is None
    office.at(70)
    office.govern()
    office.remember(used=2, lent=0, nodes=4)
    assert office.happens("OK", 70, kind=kind, team=team) == "told"
    assert "to 2026-11-24 13:10 UTC, 1 h 1" in office.messages[0][1]  # from its true beginning


@pytest.mark.parametrize(
    ("kind", "team"), [("OverBorrowing", "vision"), ("Starved", "nlp"), ("QuotaAboveCapacity", "")]
)
def test_what_still_is_so_by_the_record_is_not_over(kind: Kind, team: str) -> None:
    office = ringing(kind, team)
    office.at(10)
    office.remember()
    assert [office.happens("OK", 10, kind=kind, team=team), office.messages] == ["open", []]
    assert office.happens("ALARM", 12, kind=kind, team=team) == "repeated"
    office.at(20)
    office.remember(used=2, lent=0, nodes=4)
    assert office.happens("OK", 20, kind=kind, team=team) == "told"


def test_a_cluster_that_again_cannot_be_read_is_not_over() -> None:
    office = ringing("CouldNotRead")
    office.at(10)
    office.fails()
    assert office.happens("OK", 10, kind="CouldNotRead") == "open"


def test_five_minutes_are_not_too_old() -> None:
    office = ringing()
    office.remember(used=2, lent=0)
    assert office.happens("OK", 5) == "told"


def test_an_event_that_is_heard_of_hours_later_counts_as_of_its_own_time() -> None:
    office = ringing()
    office.at(4)
    office.remember(used=2, lent=0)
    office.at(300)
    assert office.happens("OK", 5) == "told"


def test_what_rings_long_after_it_was_lost_from_sight_is_told_anew() -> None:
    office = ringing()
    office.at(10)
    office.fails()
    assert office.happens("OK", 10) == "unseen"
    office.at(24 * 60)
    office.remember()
    assert office.happens("ALARM", 24 * 60) == "told"
    assert "whether it was over since 2026-11-24 12:10 UTC was not seen" in office.messages[0][1]
    assert office.incident().unseen is None


@pytest.mark.parametrize("before", ["no alarm", "muted"])
def test_a_record_from_before_the_policy_has_its_alarm_says_nothing(before: str) -> None:
    office = ringing()
    office.at(10)
    office.remember(used=2, lent=0)
    kept = office.documents.load(usage_key("id1"), UsageSeen)
    assert kept is not None
    judged = [msgspec.structs.replace(each, muted=True) for each in kept.document.borrowing]
    office.remember(used=2, lent=0, borrowing=() if before == "no alarm" else tuple(judged))
    assert office.happens("OK", 10) == "unseen"


def test_it_is_unseen_since_the_first_time() -> None:
    office = ringing()
    office.forget()
    assert [office.happens("OK", 10), office.happens("OK", 12)] == ["unseen", "unseen"]
    there = office.incident()
    assert (there.unseen, there.at) == (BEGAN + timedelta(minutes=10), BEGAN + timedelta(minutes=12))


class TestGone:
    """The alarm has gone rather than what it was about."""

    def over(self, office: Office, team: str = "vision", kind: Kind = "OverBorrowing") -> str:
        office.at(10)
        assert office.happens("OK", 10, kind=kind, team=team) == "told"
        ((subject, text),) = office.messages
        assert subject.startswith(f"HyperPod Governor: Over: {team}")
        assert "no longer" not in text
        assert "It lasted from 2026-11-24 " in text
        return text

    @pytest.mark.parametrize(("kind", "team"), [("OverBorrowing", "vision"), ("Starved", "vision")])
    def test_a_team_that_was_removed_or_renamed(self, kind: Kind, team: str) -> None:
        office = ringing(kind, team)
        office.at(10)
        office.remember(team="sight")
        text = self.over(office, team, kind)
        assert "team vision has no queue in the cluster any more: it was removed or renamed" in text

    def test_a_policy_without_the_alarm(self) -> None:
        office = ringing()
        office.at(10)
        office.remember()
        office.govern(text=POLICY % "null")
        assert "the policy has no alarm about borrowing for team vision any more" in self.over(office)

    def test_a_policy_that_mutes_it(self) -> None:
        office = ringing()
        office.at(10)
        office.remember()
        office.govern("2026-11-25T13:00:00Z")
        assert "the alarm about team vision is muted until 2026-11-25 13:00 UTC" in self.over(office)


def test_what_a_team_holds_above_its_guarantee_without_a_lender_is_said() -> None:
    office = ringing()
    office.at(10)
    office.remember(used=4, lent=0)
    assert office.happens("OK", 10) == "told"
    assert (
        "no longer borrows more than its policy lets pass: no lender covers it any more; it still holds "
        "2 accelerators above its guarantee, as of 12:10 UTC." in office.messages[0][1]
    )


class TestReadableAgain:
    """What ended while nobody could see it is told when the cluster can be read again."""

    def unseen(self, teams: int = 1) -> Office:
        office = Office()
        office.remember()
        names = ["vision", *(f"team-{number:02}" for number in range(1, teams))]
        assert {office.happens("ALARM", team=name) for name in names} == {"told"}
        assert office.happens("ALARM", kind="Starved", team="nlp") == "told"
        office.at(5)
        office.fails()
        assert office.happens("ALARM", 5, kind="CouldNotRead") == "told"
        assert {office.happens("OK", 6, team=name) for name in names} == {"unseen"}
        assert office.happens("OK", 6, kind="Starved", team="nlp") == "unseen"
        return office

    def test_what_is_over_is_told_then_and_the_others_stay_open(self) -> None:
        office = self.unseen()
        assert "2 incidents of the cluster are open meanwhile" in office.messages[-1][1]
        office.messages.clear()
        office.at(30)
        office.remember(used=2, lent=0)
        assert readable_again(office, 30) == 2
        assert office.subjects == [
            "Over: vision lives on borrowed compute on ml",
            "Over: nlp waits while others borrow on ml",
            "Over: usage of ml cannot be read",
        ]
        text = office.messages[0][1]
        assert "It began 2026-11-24 11:53 UTC. Its alarm has been quiet since 2026-11-24 12:06 UTC" in text
        assert "it was over by 2026-11-24 12:30 UTC" in text
        assert readable_again(office, 30) == 0
        assert len(office.messages) == 3

    def test_of_two_the_one_that_is_over(self) -> None:
        office = self.unseen()
        office.messages.clear()
        office.at(30)
        office.remember()
        office.govern(text=POLICY % "null")
        assert readable_again(office, 30) == 1
        assert office.subjects == ["Over: vision lives on borrowed compute on ml", "Over: usage of ml cannot be read"]
        assert office.incident("Starved", "nlp").state == "ALARM"

    def test_what_is_still_so_rings_again_and_is_no_news(self) -> None:
        office = self.unseen()
        office.messages.clear()
        office.at(30)
        office.remember()
        assert readable_again(office, 30) == 0
        assert office.subjects == ["Over: usage of ml cannot be read"]
        assert office.happens("ALARM", 31) == "repeated"

    def test_what_was_not_lost_from_sight_is_left_to_its_own_alarm(self) -> None:
        office = ringing()
        office.at(5)
        office.remember(used=2, lent=0)
        assert readable_again(office, 6) == 0
        assert office.incident().state == "ALARM"

    def test_without_an_incident_of_the_cluster_as_well(self) -> None:
        office = ringing()
        office.fails()
        assert office.happens("OK", 3) == "unseen"
        office.remember(used=2, lent=0)
        assert readable_again(office, 4) == 1
        assert office.subjects == ["Over: vision lives on borrowed compute on ml"]

    def test_events_that_come_in_another_order(self) -> None:
        office = self.unseen()
        office.messages.clear()
        assert office.happens("OK", 31) == "unseen"
        office.remember(used=2, lent=0)
        assert readable_again(office, 30) == 2
        assert office.incident().state == "OK"

    def test_a_state_from_before_it_could_not_be_read_again_settles_nothing(self) -> None:
        office = self.unseen()
        office.remember(used=2, lent=0)
        assert readable_again(office, 4) == 0
        assert office.incident().state == "ALARM"

    def test_the_cluster_s_own_incident_is_told_once(self) -> None:
        office = ringing("CouldNotRead")
        office.forget()
        assert office.happens("OK", 10, kind="CouldNotRead") == "unseen"
        office.at(20)
        office.remember()
        assert readable_again(office, 20) == 0
        assert office.subjects == ["Over: usage of ml cannot be read"]

    def test_more_than_some_are_told_together(self) -> None:
        office = self.unseen(teams=MOST_SETTLED + 3)
        office.messages.clear()
        office.at(30)
        office.remember(used=2, lent=0)
        assert readable_again(office, 30) == MOST_SETTLED + 4
        assert len(office.messages) == MOST_SETTLED + 2
        subject, text = office.messages[MOST_SETTLED]
        assert subject == "HyperPod Governor: Over: 4 more incidents on ml"
        assert "  - waits while others borrow: nlp, since 2026-11-24 12:00 UTC" in text.splitlines()
        assert text.count("  - lives on borrowed compute: ") == 3
        assert office.incident("OverBorrowing", "team-22").state == "OK"

    def test_a_message_that_does_not_go_out_goes_out_with_the_next_try(self) -> None:
        office = self.unseen()
        office.messages.clear()
        office.at(30)
        office.remember(used=2, lent=0)
        office.fails_after = 1
        with pytest.raises(TransientError):
            readable_again(office, 30)
        office.fails_after = None
        assert readable_again(office, 30) == 1
        assert len(office.subjects) == len(set(office.subjects)) == 3
