"""Kueue's controller in one cluster: a thread that is woken by changes and takes them in batches."""

import logging
import threading

from local.hyperpod.clock import Clock
from local.kubernetes.objects import Objects
from local.kubernetes.store import Change
from local.kueue.reconciler import INTERESTS, Changed, Reconciler

SETTLE_SECONDS = 30.0
_log = logging.getLogger(__name__)


class Controller:
    """Works from its making until `close`. The thread begins with the first change that is of interest."""

    def __init__(self, objects: Objects, clock: Clock) -> None:
        self._reconciler = Reconciler(objects, clock)
        self._changed = threading.Condition()
        self._waiting: dict[Changed, None] = {}
        self._works = False
        self._closed = False
        self._failure: Exception | None = None
        self._thread: threading.Thread | None = None
        self._unsubscribe = objects.subscribe(self._hear)

    def settled(self, seconds: float = SETTLE_SECONDS) -> None:
        """Wait until nothing is left to do. Raises TimeoutError, or RuntimeError if a round has failed."""
        with self._changed:
            if not self._changed.wait_for(self._is_idle, seconds):
                raise TimeoutError(f"Kueue's controller is still at work after {seconds} s")
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise RuntimeError("Kueue's controller has failed") from failure

    def close(self) -> None:
        """End the thread, after the round that it is in. Closing twice is closing once."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        self._unsubscribe()
        if thread is not None:
            thread.join()

    def _is_idle(self) -> bool:
        return self._closed or not (self._waiting or self._works)

    def _hear(self, change: Change) -> None:
        """In the thread that writes, which holds the store's lock."""
        if change.resource not in INTERESTS:
            return
        with self._changed:
            self._waiting[change.resource, change.key] = None
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="kueue", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _run(self) -> None:
        while changed := self._next():
            try:
                self._reconciler.reconcile(changed)
            except Exception as failure:  # noqa: BLE001 - a controller goes on: with the next change all is read anew
                _log.exception("a round of Kueue's controller has failed")
                self._reconciler.forget()
                self._failure = failure
            with self._changed:
                self._works = False
                self._changed.notify_all()

    def _next(self) -> dict[Changed, None]:
        """What has changed since the last time, once something has; nothing when it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            if self._closed:
                return {}
            changed, self._waiting = self._waiting, {}
            self._works = True
            return changed
