"""messages.txt: every message about a file, as a person gets to see it.

``python -m tests.golden.messages`` writes it again; read the difference before you commit it.
"""

from pathlib import Path

from governor.policy.wording import printable
from tests.golden.scenarios import Scenario, scenarios

GOLDEN = Path(__file__).with_name("messages.txt")

MOST_SHOWN = 6
"""Lines of a file, and messages of a scenario, that the golden file shows."""


def written() -> str:
    """The golden file as it should be."""
    return "\n".join(_entry(scenario) for scenario in scenarios())


def _entry(scenario: Scenario) -> str:
    try:
        shown = scenario.data.decode("utf-8")
    except UnicodeDecodeError:
        shown = repr(scenario.data)
    lines = shown.removesuffix("\n").split("\n") if shown else []
    lines = [printable(line) for line in lines]
    messages = [
        f"{item.line}:{item.column}: {item.severity}: {item.code}: {item.text}" for item in scenario.diagnostics()
    ]
    return "\n".join(
        [
            f"=== {scenario.name}",
            *(f"    {line}" for line in _shortened(lines, 20)),
            *_shortened(messages, MOST_SHOWN),
            "",
        ]
    )


def _shortened(lines: list[str], most: int) -> list[str]:
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"… {len(lines) - most} more …", lines[-1]]


if __name__ == "__main__":
    GOLDEN.write_text(written(), "utf-8")
