"""plan, apply and import as a person calls them, against the control plane over HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.hyperpod.client import ControlPlane
from tests.integration.conftest import Governor
from tests.support.world import policy_of, two_teams

WORKSHOP = Path("policies/workshop.yaml")


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(two_teams())
    return path


def read(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read(capsys))
    return found


def test_the_workshops_policy_is_planned_applied_and_then_unchanged(
    governor: Governor, plane: ControlPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    assert governor("plan", WORKSHOP) == 2
    planned = read(capsys)
    assert governor("apply", WORKSHOP) == 0
    applied = read(capsys)
    written = plane.writes()
    assert governor("apply", WORKSHOP) == 0
    unchanged = read(capsys)
    assert governor("plan", WORKSHOP) == 0

    assert "inference 90 > experimentation 80 > training 70 > fine-tuning 50" in planned
    assert "2 × ml.g5.8xlarge" in planned
    assert "50 % of its quota = 1 accelerator of ml.g5.8xlarge" in planned
    assert "Applied: 3 changes made" in applied
    assert "Unchanged" in unchanged
    assert plane.writes() == written == 3
    sagemaker = plane.boto3_client()
    listed = sagemaker.list_compute_quotas()["ComputeQuotaSummaries"]
    assert sorted(quota["Name"] for quota in listed) == ["Team-A-Quota-Allocation", "Team-B-Quota-Allocation"]


def test_a_block_that_only_a_deployment_acts_on_is_said_to_be_left_out(
    governor: Governor, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = policy.read_text().splitlines(keepends=True)
    policy.write_text("".join([*lines[:2], "addon: {version: default}\n", *lines[2:]]))
    for command, status in (("plan", 2), ("apply", 0)):
        assert governor(command, policy) == status
        assert ":3:8: warning: the add-on is installed and updated by a deployment only" in read(capsys)


def test_a_plan_changes_nothing(governor: Governor, plane: ControlPlane, policy: Path) -> None:
    assert governor("plan", policy) == 2
    assert plane.writes() == 0


def test_the_json_of_a_plan_and_of_an_outcome_say_the_same(
    governor: Governor, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    governor("plan", policy, "--json")
    planned = document(capsys)
    governor("apply", policy, "--json")
    applied = document(capsys)

    assert applied["verdict"] == "Applied"
    assert applied["plan"]["fingerprint"] == planned["fingerprint"]
    assert applied["plan"]["steps"] == planned["steps"]
    assert {result["state"] for result in applied["results"]} == {"done"}
    assert {result["key"] for result in applied["results"]} == {"team team-a", "team team-b"}


def test_a_dropped_team_is_held_with_status_3_until_it_is_approved(
    governor: Governor, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    governor("apply", policy)
    policy.write_text(two_teams().replace("  - {name: team-b", "  # - {name: team-b"))
    read(capsys)

    assert governor("apply", policy) == 3
    held = read(capsys)
    fingerprint = held.split("--approve ")[1].split()[0]
    assert governor("apply", policy, "--approve", "000000000000") == 3
    assert governor("apply", policy, "--approve", fingerprint) == 0
    assert "removes team team-b" in held


def test_a_broken_file_ends_with_1_and_the_place_and_calls_nothing(
    governor: Governor, plane: ControlPlane, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy.write_text(two_teams().replace("count: 2", "count: two", 1))

    statuses = [governor(command, policy) for command in ("validate", "plan", "apply")]

    assert statuses == [1, 1, 1]
    said = f"{policy}:6:65: error: team 'team-a', quota 'ml.g5.8xlarge': count is the text 'two'"
    assert read(capsys).count(said) == 3
    assert plane.calls() == []


def test_a_refused_plan_says_where_in_the_file(
    governor: Governor, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy.write_text(two_teams(4, 4))

    assert governor("plan", policy) == 1
    assert f"{policy}:7:28: error: the teams together would be guaranteed 8 accelerators" in read(capsys)
    assert governor("apply", policy) == 1
    assert governor("apply", policy, "--overcommit", "warning") == 0


def test_a_cluster_that_does_not_exist_names_the_nearest(
    governor: Governor, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy.write_text(two_teams().replace("ml-research", "ml-reserch"))

    assert governor("plan", policy) == 1
    assert (
        "cluster 'ml-reserch' does not exist in Region us-west-2; did you mean 'ml-research'?"
        in capsys.readouterr().err
    )


def test_the_cluster_may_be_named_by_its_arn_but_not_in_another_region(
    governor: Governor, plane: ControlPlane, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arn = plane.boto3_client().describe_cluster(ClusterName="ml-research")["ClusterArn"]
    policy.write_text(two_teams().replace("ml-research", arn))
    assert governor("apply", policy) == 0

    policy.write_text(two_teams().replace("ml-research", arn.replace("us-west-2", "eu-west-1")))
    assert governor("apply", policy) == 1
    assert "set AWS_REGION=eu-west-1" in capsys.readouterr().err


def test_a_type_that_botocore_does_not_know_is_accepted_when_the_cluster_has_it(
    governor: Governor,
    plane: ControlPlane,
    policy: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from governor.aws.service_model import service_limits
    from governor.policy import Shape

    limits = dict(service_limits())
    known = limits["ClusterInstanceType"].values
    limits["ClusterInstanceType"] = Shape(values=tuple(each for each in known if each != "ml.g5.8xlarge"))
    for command in ("cluster", "validate"):
        monkeypatch.setattr(f"governor.cli.{command}.service_limits", lambda: limits)

    assert governor("validate", policy) == 1
    assert "'ml.g5.8xlarge' is not among the 208 instance types" in read(capsys)
    assert governor("plan", policy) == 2
    assert "'ml.g5.8xlarge' is unknown to this version of botocore but present in the cluster" in read(capsys)


def test_types_beyond_the_table_are_asked_of_ec2_and_said_to_be_uncheckable_where_it_is_silent(
    governor: Governor, plane: ControlPlane, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plane.add_cluster("graphics", {"ml.g4dn.12xlarge": 2})
    policy.write_text(two_teams(2, 1).replace("ml-research", "graphics").replace("ml.g5.8xlarge", "ml.g4dn.12xlarge"))

    assert governor("plan", policy) == 1
    assert "guaranteed 12 accelerators of ml.g4dn.12xlarge, but the cluster has 8: 4 too many" in read(capsys)
    plane.settings(ec2_available=False)
    assert governor("plan", policy) == 1
    silent = read(capsys)
    assert "nobody here knows what 'ml.g4dn.12xlarge' has" in silent
    assert "guaranteed 3 instances of ml.g4dn.12xlarge, but the cluster has 2: 1 too many" in silent


def test_an_autoscaled_cluster_gives_a_warning_instead(
    governor: Governor, plane: ControlPlane, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plane.add_cluster("elastic", {"ml.g5.8xlarge": 1}, autoscaling=True)
    policy.write_text(two_teams().replace("ml-research", "elastic"))

    assert governor("plan", policy) == 2
    assert "warning: the teams together would be guaranteed 4 accelerators" in read(capsys)


def test_flexible_and_single_threaded_groups_are_understood(
    governor: Governor, plane: ControlPlane, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    groups = [
        {"name": "single", "instanceType": "ml.g5.8xlarge", "count": 4, "threadsPerCore": 1},
        {"name": "mixed", "count": 2, "instanceTypes": ["ml.g6.8xlarge", "ml.p5.48xlarge"]},
    ]
    plane.add_cluster("mixed", instanceGroups=groups)
    policy.write_text(
        two_teams(extra="  - {name: team-c, quota: [{instanceType: ml.p5.48xlarge, count: 9}]}\n").replace(
            "ml-research", "mixed"
        )
    )

    assert governor("plan", policy) == 2
    said = read(capsys)
    assert "team 'team-a': quota counts 64 vCPU of ml.g5.8xlarge, but group 'single' runs one thread per core" in said
    assert "write accelerators: 2 and vCpu: 32 instead of count" in said
    assert "warning: the teams together would be guaranteed 72 accelerators of ml.p5.48xlarge" in said


def test_an_imported_policy_plans_no_change(
    governor: Governor, plane: ControlPlane, policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    governor("apply", WORKSHOP)
    sagemaker = plane.boto3_client()
    arn = sagemaker.describe_cluster(ClusterName="ml-research")["ClusterArn"]
    sagemaker.create_compute_quota(
        Name="odd-one",
        ClusterArn=arn,
        ComputeQuotaConfig={"ComputeQuotaResources": [{"InstanceType": "ml.m5.xlarge", "VCpu": 1.5}]},
        ComputeQuotaTarget={"TeamName": "no"},
        Description="Said: 'yes'",
    )
    imported = tmp_path / "imported.yaml"
    read(capsys)

    assert governor("import", "ml-research", "-o", imported, "--descriptions") == 0
    assert governor("plan", imported, "--state-dir", tmp_path / "elsewhere", "--overcommit", "warning") == 0
    assert governor("import", "ml-research", "-o", imported) == 1
    assert "exists" in capsys.readouterr().err
    team = next(team for team in policy_of(imported.read_text()).teams if team.name == "no")
    assert (team.description, team.quota[0].v_cpu, team.quota[0].memory_in_gib) == ("Said: 'yes'", 1.5, None)


def test_import_leaves_out_what_failed_and_says_so(
    governor: Governor, plane: ControlPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    governor("apply", WORKSHOP)
    quota = plane.boto3_client().list_compute_quotas()["ComputeQuotaSummaries"][0]
    plane.force_status(quota["ComputeQuotaId"], "CreateFailed", "no add-on")
    read(capsys)

    assert governor("import", "ml-research") == 0
    shown = capsys.readouterr()
    assert f"left out: quota '{quota['Name']}'" in shown.err
    assert len(policy_of(shown.out).teams) == 1


def test_two_writers_of_one_cluster_on_one_machine_keep_out_of_each_others_way(
    governor: Governor, plane: ControlPlane, policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from governor.apply import FileRecords

    arn = plane.boto3_client().describe_cluster(ClusterName="ml-research")["ClusterArn"]
    with FileRecords(tmp_path / "state").writing(arn):
        assert governor("apply", policy) == 1
    assert "another process is applying a policy" in capsys.readouterr().err
    assert governor("apply", policy) == 0


@pytest.mark.parametrize(
    "damage",
    [
        b"{",
        b"[]",
        b'{"format": 2}',
        b'{"format": 1, "cluster_arn": "other", "cluster_name": "x"}',
        b'{"format": 1, "cluster_arn": "a", "cluster_name": "x", '
        b'"begun": {"digest": "d", "excess": [[["m", "vCPU"], "1/0"]]}}',
    ],
)
def test_a_damaged_record_is_never_guessed_around(
    governor: Governor,
    plane: ControlPlane,
    policy: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    damage: bytes,
) -> None:
    governor("apply", policy)
    (record,) = (tmp_path / "state").glob("*.json")
    record.write_bytes(damage)
    policy.write_text(two_teams(1, 1))

    assert governor("apply", policy) == 1
    assert str(record) in capsys.readouterr().err
    assert {
        quota["ComputeQuotaVersion"] for quota in plane.boto3_client().list_compute_quotas()["ComputeQuotaSummaries"]
    } == {1}


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"GOVERNOR_OVERCOMMIT": "maybe"}, "GOVERNOR_OVERCOMMIT is 'maybe'; write error or warning"),
        ({"GOVERNOR_CONCURRENCY": "0"}, "GOVERNOR_CONCURRENCY is '0'; write a whole number from 1 to 32"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "check the network, the Region and AWS_ENDPOINT_URL"),
        ({"AWS_PROFILE": "nobody"}, "nobody"),
    ],
)
def test_a_wrong_environment_is_named(
    governor: Governor,
    policy: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    said: str,
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert governor("plan", policy) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [[], ["plam", "x"], ["plan"], ["plan", "x", "--max-teams-removed", "-1"], ["apply", "x", "--timeout", "0"]],
)
def test_a_wrong_call_ends_with_1_never_with_2_which_means_changes(
    governor: Governor, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        governor(*arguments)

    assert ended.value.code == 1
    assert "usage: governor" in capsys.readouterr().err


def test_an_import_in_the_middle_of_a_transition_is_written(
    governor: Governor, plane: ControlPlane, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    governor("apply", WORKSHOP)
    plane.settings(transition_seconds=60)
    quota = plane.boto3_client().list_compute_quotas()["ComputeQuotaSummaries"][0]
    plane.boto3_client().update_compute_quota(
        ComputeQuotaId=quota["ComputeQuotaId"], TargetVersion=1, ActivationState="Disabled"
    )
    read(capsys)

    assert governor("import", "ml-research", "-o", "-") == 0
    assert len(policy_of(read(capsys)).teams) == 2


@pytest.mark.parametrize("filled", [True, False])
def test_an_import_leaves_out_what_the_format_cannot_say_and_keeps_the_rest(
    governor: Governor, plane: ControlPlane, capsys: pytest.CaptureFixture[str], filled: bool
) -> None:
    plane.settings(list_fill_in=filled)
    sagemaker = plane.boto3_client()
    arn = sagemaker.describe_cluster(ClusterName="ml-research")["ClusterArn"]
    one: dict[str, Any] = {"InstanceType": "ml.g5.8xlarge", "Count": 1}
    quotas: dict[str, list[Any]] = {
        "twice": [one, one],
        "fine": [one],
        "none": [{"InstanceType": "ml.m5.large", "Count": 0}],
    }
    for team, entries in quotas.items():
        sagemaker.create_compute_quota(
            Name=f"{team}-quota",
            ClusterArn=arn,
            ComputeQuotaConfig={
                "ComputeQuotaResources": entries,
                "ResourceSharingConfig": {"Strategy": "DontLend", "BorrowLimit": 10},
            },
            ComputeQuotaTarget={"TeamName": team},
            Description="kept",
        )

    assert governor("import", "ml-research", "--descriptions") == 0
    shown = capsys.readouterr()
    assert [(team.name, team.description) for team in policy_of(shown.out).teams] == [
        ("fine", "kept"),
        ("none", "kept"),
    ]
    assert "left out: quota 'twice-quota' of team 'twice': it has two entries for the same instance type" in shown.err


def test_json_is_printed_whatever_happens(
    governor: Governor, policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("version: 2\n")
    missing = tmp_path / "missing.yaml"
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_text(two_teams().replace("ml-research", "nowhere"))

    for path in (broken, missing, elsewhere):
        for command in ("plan", "apply"):
            assert governor(command, path, "--json") == 1
            assert document(capsys)["verdict" if command == "apply" else "refused"] in ("Failed", "Rejected", True)


def test_a_broken_file_is_told_about_without_any_aws_environment(
    governor: Governor, policy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name)
    policy.write_text("version: 2\n")

    assert governor("plan", policy) == 1
    assert "error: policy: version is 2" in read(capsys)


def test_a_refused_plan_that_would_be_held_too_offers_no_approval(
    governor: Governor, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    governor("apply", policy)
    policy.write_text(two_teams(9, 2).replace("  - {name: team-b", "  # - {name: team-b"))
    read(capsys)

    assert governor("plan", policy) == 1
    assert "--approve" not in read(capsys)


def test_a_directory_for_records_that_cannot_be_used_is_named(
    governor: Governor, policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")

    assert governor("apply", policy, "--state-dir", tmp_path / "file") == 1
    assert "set GOVERNOR_STATE_DIR" in capsys.readouterr().err
