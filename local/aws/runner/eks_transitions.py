"""What takes its time in EKS: a transition ends after so many seconds, or once a test lets it go."""

import contextvars
import logging
import threading
from collections.abc import Callable

logger = logging.getLogger("governor")

Subject = tuple[str, str]
"""The ARN of a cluster with the name of an add-on, or with "" for the cluster itself."""


class Transitions:
    """At most one at a time for each subject. One of no seconds has ended when the call that began it is answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._timers: dict[Subject, threading.Timer] = {}
        self._held: set[Subject] = set()
        self._waiting: dict[Subject, Callable[[], None]] = {}

    def begin(self, subject: Subject, seconds: float, end: Callable[[], None]) -> None:
        """Have `end` called later, in the account and the Region of this call."""
        context = contextvars.copy_context()

        def due() -> None:
            with self._lock:
                self._timers.pop(subject, None)
                if subject in self._held:
                    self._waiting[subject] = due_in_context
                    return
            _logged(end)

        def due_in_context() -> None:
            context.copy().run(due)

        if seconds <= 0:
            due_in_context()
            return
        timer = threading.Timer(seconds, due_in_context)
        timer.daemon = True
        with self._lock:
            self._timers[subject] = timer
        timer.start()

    def hold(self, subject: Subject) -> None:
        """From now on a transition of this subject waits when it is due."""
        with self._lock:
            self._held.add(subject)

    def release(self, subject: Subject) -> None:
        """Let go what waits, and what comes after it."""
        with self._lock:
            self._held.discard(subject)
            waiting = self._waiting.pop(subject, None)
        if waiting is not None:
            waiting()

    def forget(self, cluster: str) -> None:
        """A cluster is gone, and what was on its way with it."""
        with self._lock:
            self._held = {each for each in self._held if each[0] != cluster}
            self._waiting = {each: due for each, due in self._waiting.items() if each[0] != cluster}
            timers = [self._timers.pop(each) for each in list(self._timers) if each[0] == cluster]
        for timer in timers:
            timer.cancel()


def _logged(end: Callable[[], None]) -> None:
    try:
        end()
    except Exception:
        logger.exception("A transition in EKS failed.")


transitions = Transitions()
