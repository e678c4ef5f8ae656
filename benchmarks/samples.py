"""Statistics of one measurement: smallest, median, largest, and ratios of values from the same round."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """The values of one measurement, in the order of the rounds."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("a sample needs at least one value")

    @property
    def low(self) -> float:
        """The smallest value: what the code costs when nobody disturbs it."""
        return min(self.values)

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def high(self) -> float:
        """The largest value: how much the machine was disturbed."""
        return max(self.values)

    def over(self, other: "Sample") -> "Sample":
        """The ratio to another measurement, round by round: both had the same neighbours on the machine."""
        return Sample(tuple(mine / its for mine, its in zip(self.values, other.values, strict=True)))

    def scaled(self, factor: float) -> "Sample":
        """The same in another unit."""
        return Sample(tuple(value * factor for value in self.values))


def interleaved(rounds: int, measurements: Mapping[str, Callable[[], float]]) -> dict[str, Sample]:
    """Take each measurement once a round, every other round backwards, so that a drift hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in measurements}
    for number in range(rounds):
        names = list(measurements)
        for name in names if number % 2 == 0 else reversed(names):
            taken[name].append(measurements[name]())
    return {name: Sample(tuple(values)) for name, values in taken.items()}
