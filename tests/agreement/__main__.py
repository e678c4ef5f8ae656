"""``python -m tests.agreement [FILE]``: print how far the admission model agrees with a real Kueue."""

import argparse
import sys
from pathlib import Path

from tests.agreement.measure import CLASSES, measure
from tests.agreement.recorded import read

SCENARIOS = Path(__file__).parents[1] / "data" / "kueue" / "scenarios.jsonl"
MOST_SHOWN = 5


def main() -> int:
    """The exit status: 0 whatever was measured, since tests judge; 2 for a file that cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=SCENARIOS)
    parser.add_argument("--all", action="store_true", help="show every disagreement")
    options = parser.parse_args()
    try:
        scenarios = list(read(options.file))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    if not scenarios:
        print(f"{options.file.name} has no scenario: nothing was measured", file=sys.stderr)
        return 2
    report = measure(scenarios)
    print(f"steps: {report.steps}")
    print(f"scenarios: {report.scenarios}")
    for name in CLASSES:
        print(f"  {name}: steps {report.steps_of[name]}, scenarios {report.scenarios_of[name]}")
    if report.unsettled.all:
        print(f"that Kueue does not come to rest: {report.unsettled}")
    print(f"beside these: preemptions of a step {report.preemptions}")
    print(f"beside these: weighted shares {report.shares}")
    print(f"beside these: texts of conditions {report.texts}")
    shown = report.disagreements if options.all else report.disagreements[:MOST_SHOWN]
    if shown:
        print(f"\nfirst disagreements ({len(shown)} of {len(report.disagreements)} scenarios):")
    for each in shown:
        print(each)
    return 0


if __name__ == "__main__":
    sys.exit(main())
