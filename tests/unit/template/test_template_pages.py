"""What the pages about a deployment say of the template and of the code is so."""

import re
from typing import get_args

from building.trimming import OPERATIONS
from governor.apply.slices import MAX_SLICES
from governor.apply.telling import MAX_STEPS_KEPT
from governor.receive.resync import UNHEARD
from governor.records.documents import FORMAT, Verdict
from tests.support.cloudformation import ROOT, in_a_vpc, listed, mentions, properties, roles, template

TEMPLATE, QUEUES, FUNCTIONS = template(), properties("AWS::SQS::Queue"), properties("AWS::Serverless::Function")
STATEMENTS = [each for role in roles().values() for each in role]
OPERATIONS_PAGE, PERMISSIONS_PAGE, DEPLOYMENT_PAGE = (
    (ROOT / "docs" / f"{name}.md").read_text() for name in ("operations", "permissions", "deployment")
)
ENDPOINTS = {"sagemaker": "sagemaker.api"}
"""The names of endpoints that are not those of their services."""


def _section(page: str, title: str) -> str:
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,3}} |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[2]


def _rows(text: str) -> list[list[str]]:
    """The cells of a table's rows, without its head."""
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return rows[2:]


def _actions(text: str) -> set[str]:
    return set(re.findall(r"`([a-z0-9]+:[A-Za-z]+)`", text))


def test_every_verdict_is_explained() -> None:
    told = [each.strip() for row in _rows(_section(OPERATIONS_PAGE, "Verdicts")) for each in row[0].split(",")]
    assert sorted(told) == sorted(get_args(Verdict))


def test_every_queue_is_explained_with_the_output_that_has_its_address() -> None:
    rows = _rows(_section(OPERATIONS_PAGE, "Queues"))
    assert {row[0] for row in rows} == set(QUEUES)
    for queue, output, _ in rows:
        assert TEMPLATE["Outputs"][output.strip("`")]["Value"] == {"Ref": queue}


def test_every_prefix_that_the_functions_may_write_is_explained() -> None:
    keys = " ".join(row[0] for row in _rows(_section(OPERATIONS_PAGE, "The documents")))
    for statement in STATEMENTS:
        if statement["Effect"] == "Allow" and "s3:PutObject" in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                assert f"`{resource['Fn::Sub'].partition('/')[2].removesuffix('*').replace('*', 'ID')}" in keys


def test_the_limits_are_those_of_the_code_and_the_template() -> None:
    limits = {row[0]: row[1] for row in _rows(_section(OPERATIONS_PAGE, "Limits"))}
    assert limits["slices in a row"] == str(MAX_SLICES)
    assert limits["steps of a run that are written down"] == f"{MAX_STEPS_KEPT:,}"
    assert limits["a slice of work"] == f"`SliceSeconds`, {TEMPLATE['Parameters']['SliceSeconds']['Default']} s"
    redrive = QUEUES["PolicyChanges"]["RedrivePolicy"]
    assert limits["tries of a message"] == str(redrive["maxReceiveCount"])
    assert f"not heard of for {UNHEARD.seconds // 60} minutes" in _section(OPERATIONS_PAGE, "The resync").replace(
        "\n", " "
    )
    assert f"Documents carry a format number, {FORMAT} so far" in DEPLOYMENT_PAGE


def test_permissions_in_a_vpc_and_denials_are_listed() -> None:
    told = _actions(_section(PERMISSIONS_PAGE, "In a VPC"))
    for allowed, _ in in_a_vpc().values():
        assert told - {"lambda:SourceFunctionArn"} == set(allowed["Action"])
    (denied,) = [each for each in STATEMENTS if each["Effect"] == "Deny"]
    keys = set(denied["Condition"]["ArnLike"])
    assert _actions(_section(PERMISSIONS_PAGE, "Denied")) - keys == set(denied["Action"])


def test_what_is_said_not_to_be_granted_is_not() -> None:
    granted = {
        action
        for each in STATEMENTS
        if each["Effect"] == "Allow" and not mentions(each["Resource"], "FailedInvocations")
        for action in listed(each["Action"])
    }
    not_granted = _actions(_section(PERMISSIONS_PAGE, "What is not granted")) - {"sqs:SendMessage"}
    assert not_granted
    assert not_granted & granted == set()
    assert not any(mentions(each["Resource"], "UndeliveredEvents") for each in STATEMENTS)


def test_the_endpoints_of_a_vpc_are_those_of_the_services_that_are_called() -> None:
    told = {re.sub(r" .*|`", "", row[0]) for row in _rows(_section(DEPLOYMENT_PAGE, "In a VPC"))}
    assert told == {ENDPOINTS.get(service, service) for service in OPERATIONS}
    in_it = {name for name, each in FUNCTIONS.items() if "VpcConfig" in each}
    assert in_it == {"ReceivePolicyFunction", "ApplyPolicyFunction", "VerifyAddonFunction"}


def test_the_costs_count_what_there_is() -> None:
    costs = {row[0]: row[1] for row in _rows(_section(DEPLOYMENT_PAGE, "Cost"))}
    assert costs["alarms"].startswith(f"{len(properties('AWS::CloudWatch::Alarm'))} × ")
    assert costs["metrics"].startswith(f"{len(get_args(Verdict))}, ")


def test_the_longest_name_of_a_stack_leaves_room_for_the_names_of_its_functions() -> None:
    names = [each["FunctionName"]["Fn::Sub"] for each in FUNCTIONS.values()]
    room = 64 - max(len(name.removeprefix("${AWS::StackName}")) for name in names)
    assert f"{room} characters" in DEPLOYMENT_PAGE
