"""Does nothing, and prints when."""

import json
import time
from typing import Any


def handler(event: dict[str, Any], _context: object) -> None:
    """One line per message: which file, and the time."""
    for record in event["Records"]:
        key = json.loads(record["body"])["detail"]["object"]["key"]
        print(f"nothing {key} {time.time():.6f}")
