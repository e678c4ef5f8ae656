"""Progress of a run: a moving line per step in a terminal, a printed line per event elsewhere."""

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.text import Text

from governor.apply import APPROVED, Event, Progress
from governor.cli.show import show_foreign, show_plan
from governor.plan import Step

_DOING = {"create": "creating", "update": "changing", "delete": "deleting", "wait": "waiting for"}
_ENDS = {
    "done": ("✓", "green", "done"),
    "failed": ("✗", "bold red", "failed"),
    "conflict": ("↻", "magenta", "somebody else changed it; planning again"),
    "moved": ("↻", "cyan", "settled; planning again"),
    "waiting": ("…", "yellow", "not finished"),
}


@contextlib.contextmanager
def watching(console: Console) -> Iterator[Progress]:
    """A listener for a writer's events that shows them on the console."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    bars = Bars(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        _Counted(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    with bars:
        yield _Moving(console, bars)


class _Counted(MofNCompleteColumn):
    """How many of how many, where there is more than one to count."""

    def render(self, task: Task) -> Text:
        return super().render(task) if task.total is not None else Text("")


class _Lines:
    """One line per event; what is only a glimpse is left out."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, event: Event) -> None:
        if event.kind == "planned" and event.plan is not None:
            self._planned(event)
        elif event.kind == "foreign" and event.foreign is not None:
            show_foreign(self._console, event.foreign)
        elif event.kind == "ended" and event.step is not None:
            self._console.print(ended_line(event, event.step))

    def _planned(self, event: Event) -> None:
        assert event.plan is not None
        if event.plan.steps and not event.plan.refusals:
            show_plan(self._console, event.plan)
            if event.detail == APPROVED:
                self._console.print(Text(f"Approved: {', '.join(event.plan.held)}.", "yellow"))
            self._console.print()


class _Moving(_Lines):
    """The same, with the steps under way and how many are done below."""

    def __init__(self, console: Console, bars: Bars) -> None:
        super().__init__(console)
        self._bars = bars
        self._whole: TaskID | None = None
        self._steps: dict[str, TaskID] = {}

    def _planned(self, event: Event) -> None:
        super()._planned(event)
        assert event.plan is not None
        if self._whole is not None:
            self._bars.remove_task(self._whole)
        self._whole = self._bars.add_task("steps", total=len(event.plan.steps)) if event.plan.steps else None

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if event.step is None:
            return
        key = event.step.key
        if event.kind == "started":
            self._steps[key] = self._bars.add_task(_doing(event.step, ""), total=None)
        elif event.kind == "status" and key in self._steps:
            self._bars.update(self._steps[key], description=_doing(event.step, event.detail))
        elif event.kind == "ended" and key in self._steps:
            self._bars.remove_task(self._steps.pop(key))
            if self._whole is not None:
                self._bars.advance(self._whole)


def _doing(step: Step, status: str) -> str:
    return f"{_DOING[step.action]} {step.title}" + (f": {status}" if status else "")


def ended_line(event: Event, step: Step) -> Text:
    """E.g. "  ✓ changing team vision  done  2.1 s"."""
    mark, style, words = _ENDS.get(event.state or "", ("·", "default", event.state or ""))
    line = Text("  ")
    line.append(f"{mark} ", style)
    line.append(f"{_DOING[step.action]} {step.title}  ")
    line.append(words, style)
    line.append(f"  {event.seconds:.1f} s", "dim")
    if event.detail and event.state in ("failed", "waiting"):
        line.append(f"  {event.detail}", style)
    return line
