"""governor why of a team's job: which namespace a team's name means, and what is said where that is a guess."""

from governor.aws.workloads import Workloads
from governor.cli import why
from governor.cli.teams import Place, Teams
from governor.errors import AccessError
from governor.plan import Quota
from tests.unit.cli.why_api import TEAM_A, RecordedApi, answer, refusal


def test_a_team_goes_by_the_name_that_usage_shows() -> None:
    """By its compute quota where it may be listed, else by its namespace; and what the convention says is known too."""
    named = {"id_a": "Vision", "id_b": "team-a"}  # the second is called as the first one's namespace
    assert answer(RecordedApi(), "train-3", team="Vision", **named).job.namespace == TEAM_A
    assert answer(RecordedApi(), "b-train", team="team-a", **named).job.namespace == "hyperpod-ns-team-b"
    assert answer(RecordedApi(), "Vision/train-3", **named).unseen == ()
    for team in ("team-a", TEAM_A):
        assert answer(RecordedApi(), "train-3", team=team).unseen == ()
        assert answer(RecordedApi(), "train-3", team=team, id_a="Vision").unseen == ()


def test_a_team_whose_namespace_is_called_otherwise() -> None:
    api = RecordedApi()
    api.items["namespaces"][0]["metadata"]["name"] = "research"
    api.add("train-3", "research", name="elsewhere", uid="u1")
    assert answer(api, "train-3", team="research").job.workload == "elsewhere"
    assert answer(api, "train-3", team="Vision", id_a="Vision").job.workload == "elsewhere"
    assert answer(api, "Vision/train-3", id_a="Vision").job.workload == "elsewhere"


def test_a_team_that_no_namespace_is_labelled_as_is_looked_for_by_the_convention() -> None:
    api = RecordedApi()
    del api.items["namespaces"][0]
    assert answer(api, "train-3", team="team-a").unseen == (
        "a namespace labelled so: hyperpod-ns-team-a is taken for that of team 'team-a', as is the convention; "
        "the teams are team-b",
    )
    said = str(refusal(api, "train-3", team="vission"))
    assert said.startswith("Kueue knows no job 'train-3' in namespace hyperpod-ns-vission of cluster ml-research")
    assert "hyperpod-ns-vission is taken for that of team 'vission', as is the convention" in said
    api.items["namespaces"].clear()
    assert answer(api, "train-3", team="team-a").unseen[0].endswith("no namespace is labelled as a team's")


def test_who_may_not_list_namespaces_or_quotas_still_gets_an_answer() -> None:
    api = RecordedApi()

    def refused() -> list[Quota]:
        raise AccessError("ListComputeQuotas is not allowed")

    workloads = Workloads(lambda: api.kubernetes)
    teams = Teams(workloads.governed, refused)
    assert teams.place("team-a") == Place(TEAM_A)
    assert teams.place("Vision").unseen.endswith("their names could not be read: ListComputeQuotas is not allowed")
    api.refused = {"namespaces", "workloads", "localqueues", "clusterqueues"}
    place = teams.place("team-a")
    assert (place.namespace, teams.known("team-a")) == (TEAM_A, "")
    found = why.answer(workloads, "train-3", place, "ml-research", teams)
    assert found.unseen[0].startswith(
        "namespaces of teams: hyperpod-ns-team-a is taken for that of team 'team-a', as is the convention: "
        "ml-eks: list namespaces: not allowed (403)"
    )


def test_a_team_with_several_namespaces_is_not_chosen_from() -> None:
    said = str(refusal(RecordedApi(), "train-3", team="Vision", id_a="Vision", id_b="Vision"))
    assert said == ("team 'Vision' has 2 namespaces; say which: --namespace hyperpod-ns-team-a or hyperpod-ns-team-b")


def test_namespaces_are_not_read_where_nobody_asks_for_a_team() -> None:
    api = RecordedApi()
    answer(api, "job/train-3")
    answer(api, "train-3", TEAM_A)
    assert not [path for path in api.asked if path.startswith("/api/v1/namespaces?")]
