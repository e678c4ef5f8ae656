"""``python -m building dependencies|governor DIRECTORY``: called by the Makefiles that ``sam build`` runs."""

import sys
from pathlib import Path

from building import dependencies, governor
from building.target import BuildError, target_from_environment


def main() -> int:
    """Build one layer; the exit status."""
    builders = {"dependencies": dependencies.build, "governor": governor.build}
    if len(sys.argv) != 3 or sys.argv[1] not in builders:
        print(f"usage: python -m building {'|'.join(builders)} DIRECTORY", file=sys.stderr)
        return 2
    try:
        builders[sys.argv[1]](Path(sys.argv[2]), target_from_environment())
    except BuildError as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
