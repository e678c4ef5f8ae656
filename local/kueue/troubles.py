"""What goes wrong with one object stays with it: it is told and logged, and the others go on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from local.kubernetes.errors import ApiError, GroupResource
from local.kubernetes.store import Store
from local.kueue.narration import LOCAL
from local.kueue.recorder import Recorder

_log = logging.getLogger(__name__)


class Troubles:
    """Callers hold the store's lock."""

    def __init__(self, store: Store, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder

    @contextmanager
    def of(self, resource: GroupResource, key: str) -> Iterator[None]:
        """Nothing that is raised within leaves it: it becomes a Warning ReconcileFailed about the object."""
        try:
            yield
        except ApiError as refusal:
            _log.warning("%s %s: %s", resource, key, refusal.message)
            self._tell(resource, key, refusal.message)
        except Exception as failure:  # noqa: BLE001 - whatever it is, it must not stop Kueue for all other objects
            _log.warning("%s %s cannot be followed", resource, key, exc_info=failure)
            self._tell(resource, key, f"{type(failure).__name__}: {failure}")

    def _tell(self, resource: GroupResource, key: str, message: str) -> None:
        about = self._store.get(resource, key)
        if about is not None:
            self._recorder.record(about, "ReconcileFailed", message, LOCAL, "Warning")
