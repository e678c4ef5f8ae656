"""Which Metrics Insights queries are taken, and what comes of several series: no server needed for either."""

import re
from collections.abc import Mapping

import pytest

from local.aws.runner.alarm_terms import Terms, Values, Window
from local.aws.runner.contributors import GONE, Contributors, Series, changes, contributor_id, judge
from local.aws.runner.embedded_metrics import embedded
from local.aws.runner.insights_query import Query, QueryError, parse

TEAMS = (
    'SELECT MAX(OverBorrowing) FROM SCHEMA("HyperPod/TaskGovernance", "cluster", service, team) '
    "WHERE service = 'governor' GROUP BY \"cluster\", team ORDER BY MAX() DESC"
)


def test_a_query_is_understood() -> None:
    assert parse(TEAMS) == Query(
        metric="OverBorrowing",
        namespace="HyperPod/TaskGovernance",
        dimensions=frozenset({"cluster", "service", "team"}),
        where={"service": "governor"},
        group_by=("cluster", "team"),
        descending=True,
    )


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("select max(m) from schema(ns, k) group by k order by max() asc", ("m", "ns", {}, False)),
        ('SELECT MAX("a b")\nFROM SCHEMA("x",k)GROUP BY k ORDER BY MAX()', ("a b", "x", {}, False)),
        (
            "SELECT MAX(m) FROM SCHEMA(x, j, k) WHERE j = 'it\\'s' GROUP BY k ORDER BY MAX() DESC",
            ("m", "x", {"j": "it's"}, True),
        ),
    ],
)
def test_spelling(expression: str, what: tuple[str, str, Mapping[str, str], bool]) -> None:
    query = parse(expression)
    assert (query.metric, query.namespace, query.where, query.descending) == what


def test_reserved_words_without_quotes_are_told() -> None:
    assert parse(TEAMS).unquoted == ()
    assert parse(TEAMS.replace('"cluster"', "cluster")).unquoted == ("cluster",)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("MAX(OverBorrowing)", "AVG(OverBorrowing)"), "MAX is expected instead of 'AVG'"),
        (("ORDER BY MAX() DESC", ""), "ORDER is expected instead of 'the end"),
        (('GROUP BY "cluster", team', ""), "GROUP is expected"),
        (("ORDER BY MAX()", "ORDER BY SUM()"), "MAX is expected instead of 'SUM'"),
        (("DESC", "DESC LIMIT 5"), "the end of the query is expected instead of 'LIMIT'"),
        (("service = 'governor'", "service != 'governor'"), "nothing is known of .!= "),
        (("service = 'governor'", "service = governor"), "a value in single quotes"),
        (("service = 'governor'", "tag.env = 'prod'"), "nothing is known of .[.]env"),
        (("service = 'governor'", "service = 'a' AND service = 'b'"), "service has two values"),
        (("WHERE service = 'governor' ", ""), "the key service of SCHEMA is neither in WHERE nor in GROUP BY"),
        (("service, team)", "service)"), "team is not among the keys of SCHEMA"),
        (("WHERE service", "WHERE stage"), "stage is not among the keys of SCHEMA"),
        (("service, team)", "service, team, team)"), "twice in SCHEMA"),
        (("SCHEMA(", "("), "SCHEMA is expected instead of '[(]'"),
        (("'governor'", "'governor"), "nothing is known of"),
        ((TEAMS, "SUM(METRICS())"), "SELECT is expected instead of 'SUM'"),
        ((TEAMS, "m1 / m2"), "nothing is known of '/ m2'"),
        ((TEAMS, ""), "SELECT is expected instead of 'the end"),
    ],
)
def test_every_other_query_is_refused_and_quoted(change: tuple[str, str], why: str) -> None:
    expression = TEAMS.replace(*change)
    with pytest.raises(QueryError, match=why) as refusal:
        parse(expression)
    assert str(refusal.value).endswith(f"in the expression: {expression}")


def test_only_metrics_with_exactly_the_keys_count() -> None:
    query = parse(TEAMS)
    mine = {"cluster": "c", "service": "governor", "team": "a"}
    assert query.group_of(mine) == ("c", "a")
    assert query.group_of({**mine, "service": "another"}) is None
    assert query.group_of({**mine, "accelerator": "gpu"}) is None
    assert query.group_of({"cluster": "c", "service": "governor"}) is None


def test_a_period_has_the_highest_value_in_it() -> None:
    window = Window(end=1000.0, period=60.0, count=3)
    assert window.highest([(1000.0, 1), (941.0, 7), (939.0, 2), (820.5, 4), (820.0, 9), (1000.1, 9)]) == [7, 2, 4]
    assert window.highest([(890.0, 5)]) == [None, 5, None]


THREE_OF_FIVE = Terms("GreaterThanOrEqualToThreshold", 1.0, 5, 3, "notBreaching")


@pytest.mark.parametrize(
    ("values", "missing", "state"),
    [
        ([1, 1, 1, 0, 0], "notBreaching", "ALARM"),
        ([0, 1, 0, 2, 1], "notBreaching", "ALARM"),
        ([1, 1, 0, 0, 0], "notBreaching", "OK"),
        ([1, 1, None, None, None], "notBreaching", "OK"),
        ([1, 1, None, None, None], "breaching", "ALARM"),
        ([0, None, None, None, None], "breaching", "ALARM"),
        ([0, 0, 0, None, None], "breaching", "OK"),
        ([1, 1, None, None, None], "ignore", "OK"),
        ([1, 1, None, None, None], "missing", "OK"),
    ],
)
def test_three_of_five(values: Values, missing: str, state: str) -> None:
    terms = Terms("GreaterThanOrEqualToThreshold", 1.0, 5, 3, missing)
    (contributor,) = judged(terms, a=values).values()
    assert contributor.state == state


def test_a_contributor_begins_as_ok_and_tells_of_its_changes_once() -> None:
    none: Contributors = {}
    quiet = judged(THREE_OF_FIVE, a=[0] * 5)
    loud = judged(THREE_OF_FIVE, quiet, a=[1] * 5, b=[1] * 5)
    still = judged(THREE_OF_FIVE, loud, a=[2] * 5, b=[0] * 5)

    assert told(none, quiet) == []
    assert told(quiet, loud) == [("OK", "a", "ALARM"), ("OK", "b", "ALARM")]
    assert told(loud, still) == [("ALARM", "b", "OK")]
    assert still[ident("a")] == loud[ident("a")]


@pytest.mark.parametrize("missing", ["breaching", "notBreaching", "ignore", "missing"])
def test_a_series_without_data_has_become_ok_however_missing_data_is_treated(missing: str) -> None:
    terms = Terms("GreaterThanOrEqualToThreshold", 1.0, 5, 3, missing)
    loud = judged(terms, a=[1] * 5, b=[0] * 5)
    ((was, gone),) = changes(loud, judged(terms, loud), 2000.0)
    assert (was, gone.state, gone.reason, gone.since, gone.attributes) == ("ALARM", "OK", GONE, 2000.0, {"team": "a"})


@pytest.mark.parametrize(
    ("missing", "state"),
    [("breaching", "ALARM"), ("notBreaching", "OK"), ("missing", "INSUFFICIENT_DATA"), ("ignore", None)],
)
def test_an_alarm_without_any_series_is_what_missing_data_says(missing: str, state: str | None) -> None:
    terms = Terms("GreaterThanOrEqualToThreshold", 1.0, 5, 3, missing)
    assert judge({}, {}, terms, WINDOW).state == state


@pytest.mark.parametrize(
    ("series", "state", "reason"),
    [
        ({"a": [1] * 5, "b": [0] * 5}, "ALARM", "1 out of 2 time series evaluated to ALARM"),
        ({"a": [0] * 5, "b": [0] * 5}, "OK", "0 out of 2 time series evaluated to ALARM"),
        ({str(number): [1] * 5 for number in range(101)}, "ALARM", "100+ time series evaluated to ALARM"),
    ],
)
def test_an_alarm_is_what_its_contributors_are(series: Mapping[str, Values], state: str, reason: str) -> None:
    verdict = judge({}, of(**series), THREE_OF_FIVE, WINDOW)
    assert (verdict.state, verdict.reason) == (state, reason)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([None, 3, 1, 1, 0], r"3 datapoints were greater than or equal to the threshold \(1.0\)\. .*\[3\.0 \(0"),
        ([1, 0, 0, 0, 0], r"4 datapoints were not greater than or equal to the threshold \(1.0\)\. .*\[0\.0 \(0"),
        ([1, None, None, None, None], r"no datapoints were received for 4 periods and 4 missing .*\[NonBreaching\]"),
    ],
)
def test_the_reason_names_the_newest_datapoint_that_decided(values: Values, reason: str) -> None:
    (contributor,) = judged(THREE_OF_FIVE, a=values).values()
    assert re.match(f"Threshold Crossed: {reason}", contributor.reason)


def test_an_id_is_of_an_alarm_and_the_attributes() -> None:
    one = contributor_id("alarm", {"cluster": "c", "team": "a"})
    assert re.fullmatch("[0-9a-f]{16}", one)
    assert contributor_id("alarm", {"team": "a", "cluster": "c"}) == one
    assert contributor_id("alarm", {"cluster": "c", "team": "b"}) != one
    assert contributor_id("other", {"cluster": "c", "team": "a"}) != one


def test_embedded_metrics_of_several_directives_and_values() -> None:
    line = (
        '{"_aws": {"Timestamp": 1, "CloudWatchMetrics": ['
        '{"Namespace": "A", "Dimensions": [["team"], []], "Metrics": [{"Name": "used", "Unit": "Count"}]},'
        '{"Namespace": "B", "Dimensions": [["nobody"]], "Metrics": [{"Name": "used"}]},'
        '{"Namespace": "B", "Metrics": [{"Name": "free"}, {"Name": "missing"}, {"Name": "team"}]}]},'
        '"team": "a", "used": [1, 2], "free": 3.5}'
    )
    assert list(embedded(line)) == [
        ("A", "used", 1, "Count", {"team": "a"}),
        ("A", "used", 2, "Count", {"team": "a"}),
        ("A", "used", 1, "Count", {}),
        ("A", "used", 2, "Count", {}),
        ("B", "free", 3.5, "None", {}),
    ]
    assert list(embedded("plain text")) == list(embedded('{"_aws": 1}')) == []


WINDOW = Window(end=1000.0, period=60.0, count=5)


def ident(team: str) -> str:
    return contributor_id("alarm", {"team": team})


def of(**series: Values) -> dict[str, Series]:
    return {ident(team): Series({"team": team}, values) for team, values in series.items()}


def judged(terms: Terms, before: Contributors | None = None, **series: Values) -> Contributors:
    return judge(before or {}, of(**series), terms, WINDOW).contributors


def told(before: Contributors, after: Contributors) -> list[tuple[str, str, str]]:
    return [(was, now.attributes["team"], now.state) for was, now in changes(before, after, 0.0)]
