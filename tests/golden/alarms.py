"""Small files that between them make every mistake about the block ``alarms``."""

from collections.abc import Iterable, Iterator

_BLOCKS = {
    "alarms of another kind": ("5", "borrowing", "true", "[borrowing]", "''", ""),
    "alarms without what they are about": ("{}", "{borowing: {percent: 50}}", "{percent: 50}"),
    "an alarm of another kind": ("{borrowing: 50}", "{borrowing: off}", "{borrowing: }", "{borrowing: [50]}"),
    "an alarm's keys": ("{borrowing: {}}", "{borrowing: {precent: 50}}", "{borrowing: {percent: 5, percent: 6}}"),
}
_PERCENTAGES = {
    "numbers": ("0", "10001", "-1", "0.5", "1.5", ".inf"),
    "no numbers": ("50%", "'50'", "true", "null", "[50]", ""),
}
_MOMENTS = {
    "no time at all": ("soon", "2027", "true", "[2027-01-31]", "null", "''"),
    "no day, or no time": ("2027-02-30", "2027-13-01", "2027-00-10", "2027-01-31T24:00:00Z", "2027-02-29T00:00:00Z"),
    "a zone that is missing, or not like this": (
        "2027-01-31T08:00:00",
        "2027-01-31 08:00:00Z",
        "2027-01-31T08:00",
        "2027-01-31t08:00:00z",
        "2027-01-31T08:00:00+0100",
        "2027-01-31T08:00:00 CET",
    ),
    "a year beyond": ("2101-01-01", "1969-12-31", "2100-12-31T23:30:00-01:00", "1970-01-01T00:30:00+01:00"),
    "a day in another order": ("31.01.2027", "01/31/2027", "2027/01/31", "2027-1-31"),
}
_OF_THE_FILE = {
    "alarms of the file that say nothing": "alarms:\n",
    "alarms of the file without an alarm": "alarms: {}\n",
    "alarms of the file, with mistakes": "alarms:\n  borrowing:\n    percent: 0\n    mutedUntil: 2027-01-31\n",
}


def files() -> Iterator[tuple[str, bytes]]:
    """A name and a file for each: a mistake in every team's block, or in the block of the file."""
    for name, blocks in _BLOCKS.items():
        yield name, _teams(blocks)
    for name, percentages in _PERCENTAGES.items():
        yield f"percent: {name}", _teams(f"{{borrowing: {{percent: {each}}}}}" for each in percentages)
    for name, moments in _MOMENTS.items():
        yield f"muteUntil: {name}", _teams(f"{{borrowing: {{percent: 50, muteUntil: {each}}}}}" for each in moments)
    for name, block in _OF_THE_FILE.items():
        yield name, f"version: 1\ncluster: ml-research\n{block}teams: [{{name: a, quota: []}}]\n".encode()


def _teams(blocks: Iterable[str]) -> bytes:
    teams = (f"  - {{name: t{number}, quota: [], alarms: {each}}}\n" for number, each in enumerate(blocks))
    return f"version: 1\ncluster: ml-research\nteams:\n{''.join(teams)}".encode()
