"""The hourly look: written down, told once per change of state, measured, and acted on by the writer only."""

import itertools
import logging
from collections.abc import Callable, Iterator

import msgspec
import pytest

from governor.addon.report import Report
from governor.addon.seen import Addon, Issue
from governor.apply.addon_change import GateSettings
from governor.aws.service_model import service_limits
from governor.errors import ForbiddenError, GovernorError, PermanentError, TransientError
from governor.records.announcing import AddonNews
from governor.records.documents import AddonSeen
from governor.records.names import addon_key, cluster_id
from governor.records.queue import ADDON, Message
from governor.verify import Verified, Verifier
from tests.support.addons import DEFAULT, NEWEST, OLD, OLDEST, READY, STARTING
from tests.support.desk import Desk
from tests.support.world import two_teams


class _Measures:
    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.sums: list[tuple[int, int]] = []

    def addon(self, report: Report) -> None:
        self.reports.append(report)

    def addons(self, unhealthy: int, unseen: int) -> None:
        self.sums.append((unhealthy, unseen))


class _News:
    def __init__(self) -> None:
        self.told: list[AddonNews] = []
        self.error: GovernorError | None = None

    def announce_addon(self, news: AddonNews) -> None:
        if self.error is not None:
            raise self.error
        self.told.append(news)


class Watch:
    """A desk with a policy in force, and everything that a look tells."""

    def __init__(self, version: str = "", *, may_change: bool = False) -> None:
        self.desk = Desk()
        self.measures, self.news = _Measures(), _News()
        self.may_change = may_change
        self.clock: Iterator[float] = itertools.repeat(0.0)
        self.desk.gate_settings = GateSettings(may_change=may_change)
        addon = f"addon: {{version: {version}}}" if version else ""
        assert self.desk.applied(two_teams(cluster_policy=addon)).verdict == "Applied"

    def look(self, time_left: Callable[[], float] = lambda: 100.0) -> Verified:
        self.desk.now.advance(hours=1)
        return Verifier(
            self.desk.documents,
            self.desk.looker,
            self.news,
            self.desk.queue,
            self.measures,
            service_limits,
            logging.getLogger("verify"),
            self.desk.now,
            time_left,
            may_change=self.may_change,
            clock=lambda: next(self.clock),
        ).run()

    def seen(self) -> AddonSeen:
        kept = self.desk.documents.load(addon_key(cluster_id(self.desk.world.arn)), AddonSeen)
        assert kept is not None
        return kept.document


def test_a_healthy_addon_is_written_down_measured_and_told_once() -> None:
    watch = Watch("default")
    done = watch.look()
    assert (done.clusters, done.changed, done.unhealthy, done.unseen) == (1, ("ml-research",), (), ())
    first = watch.seen()
    assert (first.report.installed, first.report.healthy, first.report.version) == (True, True, DEFAULT)
    assert (first.report.kueue_version, first.report.wanted, first.report.drifted) == ("0.19.2", "default", False)
    assert watch.measures.sums == [(0, 0)]
    assert [news.state for news in watch.news.told] == [f"ACTIVE {DEFAULT} healthy"]

    assert watch.look().changed == ()
    second = watch.seen()
    assert len(watch.news.told) == 1
    assert second.at > first.at
    assert second.since == first.since


def test_every_change_of_state_is_told_with_the_one_before() -> None:
    watch = Watch()
    watch.look()
    issue = Issue("InsufficientNumberOfReplicas", "0 of 1")
    watch.desk.eks.installed = Addon(DEFAULT, "DEGRADED", (issue,))
    assert watch.look().unhealthy == ("ml-research",)
    watch.desk.eks.installed = None
    watch.look()
    watch.desk.eks.installed = Addon(DEFAULT, "ACTIVE")
    watch.look()
    states = [(news.before, news.state) for news in watch.news.told]
    assert states == [
        ("", f"ACTIVE {DEFAULT} healthy"),
        (f"ACTIVE {DEFAULT} healthy", f"DEGRADED {DEFAULT} not healthy InsufficientNumberOfReplicas"),
        (f"DEGRADED {DEFAULT} not healthy InsufficientNumberOfReplicas", "not installed not healthy"),
        ("not installed not healthy", f"ACTIVE {DEFAULT} healthy"),
    ]
    assert watch.measures.sums == [(0, 0), (1, 0), (1, 0), (0, 0)]
    assert [issue.code for issue in watch.news.told[1].issues] == ["InsufficientNumberOfReplicas"]


def test_an_event_that_could_not_be_told_is_told_by_the_next_look() -> None:
    watch = Watch()
    watch.news.error = TransientError("PutEvents: throttled")
    assert watch.look().failed != ()
    assert watch.measures.sums == [(0, 1)]  # as one that nobody could look at: somebody should know
    watch.news.error = None
    assert watch.look().changed == ("ml-research",)
    assert len(watch.news.told) == 1


@pytest.mark.parametrize("error", [ForbiddenError("403", "list", "nodes"), TransientError("it hangs")])
def test_kubernetes_that_cannot_be_asked_is_not_seen_rather_than_healthy(error: GovernorError) -> None:
    watch = Watch()
    watch.desk.eks.kubernetes.fail(error)
    assert watch.look().unseen == ("ml-research",)
    assert watch.measures.sums == [(0, 1)]
    assert watch.seen().report.healthy is None
    assert str(error) in watch.seen().report.summary


def test_eks_that_cannot_be_asked_is_not_taken_for_a_missing_addon() -> None:
    watch = Watch("default", may_change=True)
    watch.desk.eks.error = TransientError("DescribeAddon: ThrottlingException")
    done = watch.look()
    assert (done.unseen, done.asked) == (("ml-research",), ())
    assert watch.seen().report.installed is None


def test_a_cluster_that_is_gone_is_not_healthy() -> None:
    watch = Watch()
    watch.desk.world.direct.service.state.clusters.remove("us-west-2", "ml-research")
    assert watch.look().unhealthy == ("ml-research",)
    assert "does not exist" in watch.seen().report.summary


def test_a_missing_addon_is_asked_for_and_installed_by_the_writer() -> None:
    watch = Watch("default", may_change=True)
    watch.desk.eks.installed = None
    watch.desk.eks.kubernetes.without_kueue()
    done = watch.look()
    assert done.asked == ("ml-research",)
    assert watch.desk.eks.writes == []  # this function only looks
    message = msgspec.json.decode(watch.desk.queue.messages[-1], type=Message)
    assert (message.why, message.generation) == (ADDON, 0)
    watch.desk.work()
    assert watch.desk.eks.writes == [("create", "ml-research", DEFAULT, "NONE")]
    assert watch.desk.status().verdict == "Applied"


@pytest.mark.parametrize(("version", "may_change"), [("", True), ("default", False)])
def test_nobody_is_asked_unless_both_want_it(version: str, may_change: bool) -> None:
    watch = Watch(version, may_change=may_change)
    watch.desk.eks.installed = None
    watch.desk.eks.kubernetes.without_kueue()
    assert watch.look().asked == ()
    assert watch.desk.queue.messages == []


def test_nobody_is_asked_while_something_stands_in_the_way() -> None:
    watch = Watch("default", may_change=True)
    watch.desk.eks.installed = None
    watch.desk.eks.kubernetes.controllers_ = (STARTING,)
    assert watch.look().asked == ()
    assert any(check.name == "other Kueue" and check.verdict == "fail" for check in watch.seen().report.checks)


def test_an_update_that_failed_is_not_asked_for_again() -> None:
    watch = Watch(may_change=True)
    watch.desk.eks.installed = Addon(OLD, "ACTIVE")
    watch.desk.eks.ends_in = "UPDATE_FAILED"
    watch.desk.applied(two_teams(cluster_policy=f"addon: {{version: {DEFAULT}}}"))
    watch.desk.eks.installed = Addon(OLD, "UPDATE_FAILED")
    assert watch.look().asked == ()
    assert watch.look().asked == ()
    assert len(watch.desk.eks.writes) == 1


@pytest.mark.parametrize(
    ("wanted", "installed", "drifted"),
    [
        (NEWEST, DEFAULT, True),
        (NEWEST, NEWEST, False),
        ("default", OLD, True),
        ("default", DEFAULT, False),
        ("default", NEWEST, False),
        ("", OLDEST, True),
    ],
)
def test_version_drift(wanted: str, installed: str, drifted: bool) -> None:
    watch = Watch(wanted)
    watch.desk.eks.installed = Addon(installed, "ACTIVE")
    watch.look()
    assert watch.measures.reports[-1].drifted is drifted


def test_a_pass_without_time_says_so() -> None:
    watch = Watch()
    done = watch.look(lambda: 0.0)
    assert done.failed != ()
    assert watch.measures.sums == [(0, 1)]


def test_a_cluster_that_nobody_governs_any_more_is_left_alone() -> None:
    watch = Watch()
    watch.desk.remove()
    watch.desk.now.advance(minutes=11)
    watch.desk.resync()
    watch.desk.work()
    assert watch.desk.status().verdict == "Released"
    assert watch.look().clusters == 0


def test_damaged_records_of_one_cluster_do_not_silence_the_look() -> None:
    watch = Watch()
    key = addon_key(cluster_id(watch.desk.world.arn))
    watch.look()
    watch.desk.records.upload(key, "{broken")
    assert watch.look().failed == ()
    assert watch.seen().report.healthy is True
    watch.desk.records.upload(f"clusters/{cluster_id(watch.desk.world.arn)}/in-force.json", "{broken")
    assert watch.look().failed == (cluster_id(watch.desk.world.arn),)


def test_an_update_under_way_is_no_alarm_unless_it_does_not_end() -> None:
    watch = Watch()
    watch.desk.eks.installed, watch.desk.eks.left = Addon(DEFAULT, "UPDATING"), 100
    assert watch.look().unhealthy == ()
    assert watch.measures.reports[-1].healthy is False
    assert watch.look().unhealthy == ("ml-research",)
    assert watch.measures.sums == [(0, 0), (1, 0)]


def test_what_eks_refused_is_not_asked_for_again() -> None:
    watch = Watch("default", may_change=True)
    watch.desk.eks.installed = None
    watch.desk.eks.kubernetes.without_kueue()
    watch.desk.eks.refusal = PermanentError("CreateAddon: InvalidParameterException")
    assert watch.look().asked == ("ml-research",)
    watch.desk.work()
    assert watch.desk.status().verdict == "Failed"
    for _ in range(3):
        assert watch.look().asked == ()
        watch.desk.work()
    assert len(watch.desk.eks.writes) == 1
    assert len(watch.desk.told.notifications) == 1


def test_a_cluster_that_is_given_up_is_looked_at_and_rings_for_nobody() -> None:
    watch = Watch()
    watch.desk.applied(two_teams().replace("version: 1", "version: 1\nonDelete: Remove"))
    watch.desk.remove()
    watch.desk.now.advance(minutes=11)
    watch.desk.resync()
    watch.desk.work()
    assert watch.desk.status().state == "Releasing"
    watch.desk.eks.installed = None
    done = watch.look()
    assert (done.clusters, done.unhealthy, watch.measures.sums[-1]) == (1, (), (0, 0))
    assert watch.seen().report.healthy is False


def test_a_policy_that_this_release_refuses_is_no_reason_to_act() -> None:
    watch = Watch("default", may_change=True)
    key = f"clusters/{cluster_id(watch.desk.world.arn)}/in-force.json"
    force = watch.desk.force()
    broken = msgspec.structs.replace(force, text=force.text.replace("fairShareWeight", "fairShareWight"))
    watch.desk.records.upload(key, msgspec.json.encode(broken))
    watch.desk.eks.installed = None
    watch.desk.eks.kubernetes.without_kueue()
    assert watch.look().asked == ()
    assert watch.seen().report.wanted == "default"


def test_a_document_from_a_clock_that_was_wrong_does_not_stop_the_looks() -> None:
    watch = Watch()
    watch.desk.now.advance(days=30)
    watch.look()
    watch.desk.now.advance(days=-30)
    watch.desk.eks.installed = Addon(DEFAULT, "DEGRADED")
    assert watch.look().changed == ("ml-research",)
    assert watch.seen().report.status == "DEGRADED"


def test_an_eks_that_does_not_answer_is_waited_for_once() -> None:
    watch = Watch()
    watch.desk.eks.error = TransientError("read timeout")
    watch.desk.eks.kubernetes.asked.clear()
    asked: list[str] = []
    watch.desk.eks.cluster = lambda name: (_ for _ in ()).throw(TransientError("read timeout"))  # type: ignore[method-assign]
    watch.desk.eks.offered = lambda kubernetes_version: asked.append(kubernetes_version) or ()  # type: ignore[func-returns-value,method-assign]
    assert watch.look().unseen == ("ml-research",)
    assert (asked, watch.desk.eks.kubernetes.asked) == ([], [])


def test_warnings_whose_cause_is_mended_are_taken_back_by_another_run() -> None:
    watch = Watch()
    watch.desk.eks.kubernetes.controllers_ = ForbiddenError("403", "get", "deployments")
    assert watch.desk.applied(two_teams(3, 1)).verdict == "Applied"
    assert watch.desk.status().run.warnings  # type: ignore[union-attr]
    assert watch.look().asked == ()
    watch.desk.eks.kubernetes.controllers_ = (READY,)
    assert watch.look().asked == ("ml-research",)
    watch.desk.work()
    status = watch.desk.status()
    assert status.verdict == "Unchanged"
    assert status.run is not None
    assert status.run.warnings == ()
    assert watch.look().asked == ()


def test_a_slow_cluster_is_not_asked_for_ever() -> None:
    watch = Watch()
    watch.clock = iter((0.0, *(100.0 for _ in range(10))))
    watch.desk.eks.kubernetes.asked.clear()
    assert watch.look().unseen == ("ml-research",)
    assert "took all the time" in watch.seen().report.summary
    assert watch.desk.eks.kubernetes.asked == []
