"""Metrics in a log line, in CloudWatch's embedded metric format."""

import json
from collections.abc import Iterator


def embedded(line: str) -> Iterator[tuple[str, str, float, str, dict[str, str]]]:
    """Namespace, name, value, unit and dimensions of every metric in a line; a line without any has none.

    A metric may have an array of values, and a line several directives. What names something that the line does not
    have is no metric. The line's Timestamp is not heeded: a metric is of the time when it was printed.
    """
    if not line.startswith("{") or '"_aws"' not in line:
        return
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
    except (KeyError, TypeError, ValueError):
        return
    for directive in directives:
        for names in directive.get("Dimensions") or [[]]:
            if any(name not in document for name in names):
                continue
            dimensions = {name: str(document[name]) for name in names}
            for metric in directive["Metrics"]:
                for value in _values(document.get(metric["Name"], [])):
                    yield directive["Namespace"], metric["Name"], value, metric.get("Unit", "None"), dimensions


def _values(found: object) -> list[float]:
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, int | float)]
