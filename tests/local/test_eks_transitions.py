"""What takes its time in the local EKS ends once, when it is due or let go, and never for what is gone."""

import threading

from local.aws.runner.eks_transitions import Transitions

ADDON = ("cluster", "addon")


def test_what_takes_no_time_has_ended_at_once() -> None:
    ended: list[str] = []
    Transitions().begin(ADDON, 0, lambda: ended.append("now"))
    assert ended == ["now"]


def test_what_takes_time_ends_later() -> None:
    ended = threading.Event()
    Transitions().begin(ADDON, 0.01, ended.set)
    assert ended.wait(5)


def test_what_is_held_ends_when_it_is_released_and_only_once() -> None:
    transitions, ended = Transitions(), []
    transitions.hold(ADDON)
    transitions.begin(ADDON, 0, lambda: ended.append("held"))
    transitions.begin(("cluster", "other"), 0, lambda: ended.append("other"))
    assert ended == ["other"]
    transitions.release(ADDON)
    transitions.release(ADDON)
    assert ended == ["other", "held"]


def test_nothing_is_held_any_more_after_a_release() -> None:
    transitions, ended = Transitions(), []
    transitions.hold(ADDON)
    transitions.release(ADDON)
    transitions.begin(ADDON, 0, lambda: ended.append("free"))
    assert ended == ["free"]


def test_what_is_gone_ends_nothing() -> None:
    transitions, ended, later = Transitions(), [], threading.Event()
    transitions.hold(ADDON)
    transitions.begin(ADDON, 0, lambda: ended.append("held"))
    transitions.begin(("cluster", ""), 0.05, lambda: ended.append("on its way"))
    transitions.forget("cluster")
    transitions.release(ADDON)
    transitions.begin(("another", ""), 0.1, later.set)
    assert later.wait(5)
    assert ended == []
