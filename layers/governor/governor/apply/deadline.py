"""The moment to stop at."""

from governor.apply.ports import Clock


class Deadline:
    """Seconds from now on a clock; None means never."""

    def __init__(self, clock: Clock, seconds: float | None) -> None:
        self._clock = clock
        self._at = None if seconds is None else clock.monotonic() + seconds

    @property
    def passed(self) -> bool:
        """True when it is time to stop."""
        return self._at is not None and self._clock.monotonic() >= self._at

    def sleep(self, seconds: float) -> None:
        """Sleep, but not beyond the deadline."""
        if self._at is not None:
            seconds = max(0.0, min(seconds, self._at - self._clock.monotonic()))
        self._clock.sleep(seconds)
