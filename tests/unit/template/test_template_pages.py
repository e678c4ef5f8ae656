"""What the pages about a deployment say of the template and of the code is so."""

import ast
from pathlib import Path
from typing import get_args

import governor
from building.trimming import OPERATIONS
from governor.apply.slices import MAX_SLICES
from governor.apply.telling import MAX_STEPS_KEPT
from governor.aws.kubernetes import READS
from governor.aws.kubernetes import resources as kinds
from governor.aws.usage import MOST_WORKLOADS
from governor.cli.connect import READERS
from governor.functions.publishing import MARGIN
from governor.notify.deciding import AGAIN, LOST
from governor.notify.evidence import STALE
from governor.notify.notifier import MOST_SETTLED
from governor.receive.resync import UNHEARD
from governor.records.documents import FORMAT, Verdict
from tests.support.cloudformation import in_a_vpc, listed, mentions, properties, roles, template
from tests.support.pages import actions, page, rows, section, table

TEMPLATE, QUEUES, FUNCTIONS = template(), properties("AWS::SQS::Queue"), properties("AWS::Serverless::Function")
STATEMENTS = [each for role in roles().values() for each in role]
OPERATIONS_PAGE, PERMISSIONS_PAGE, DEPLOYMENT_PAGE = page("operations"), page("permissions"), page("deployment")
ENDPOINTS = {"sagemaker": "sagemaker.api"}
"""The names of endpoints that are not those of their services."""
READING = {"kueue.py": ("apply_policy", "verify_addon"), "usage.py": ("publish_metrics",)}
"""Which functions read Kubernetes by which module of governor.aws."""


def _in_a_vpc() -> set[str]:
    """The names of the functions, as people write them."""
    found = (each["FunctionName"]["Fn::Sub"] for each in FUNCTIONS.values() if "VpcConfig" in each)
    return {name.removeprefix("${AWS::StackName}-").replace("-", "_") for name in found}


def test_every_verdict_is_explained() -> None:
    told = [each.strip() for row in rows(section(OPERATIONS_PAGE, "Verdicts")) for each in row[0].split(",")]
    assert sorted(told) == sorted(get_args(Verdict))


def test_every_queue_is_explained_with_the_output_that_has_its_address() -> None:
    found = rows(section(OPERATIONS_PAGE, "Queues"))
    assert {row[0] for row in found} == set(QUEUES)
    for queue, output, _ in found:
        assert TEMPLATE["Outputs"][output.strip("`")]["Value"] == {"Ref": queue}


def test_every_prefix_that_the_functions_may_write_is_explained() -> None:
    keys = " ".join(row[0] for row in rows(section(OPERATIONS_PAGE, "The documents")))
    for statement in STATEMENTS:
        if statement["Effect"] == "Allow" and "s3:PutObject" in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                assert f"`{resource['Fn::Sub'].partition('/')[2].removesuffix('*').replace('*', 'ID')}" in keys


def test_the_limits_are_those_of_the_code_and_the_template() -> None:
    limits = {row[0]: row[1] for row in rows(section(OPERATIONS_PAGE, "Limits"))}
    assert limits["slices in a row"] == str(MAX_SLICES)
    assert limits["steps of a run that are written down"] == f"{MAX_STEPS_KEPT:,}"
    assert limits["a slice of work"] == f"`SliceSeconds`, {TEMPLATE['Parameters']['SliceSeconds']['Default']} s"
    redrive = QUEUES["PolicyChanges"]["RedrivePolicy"]
    assert limits["tries of a message"] == str(redrive["maxReceiveCount"])
    assert f"not heard of for {UNHEARD.seconds // 60} minutes" in section(OPERATIONS_PAGE, "The resync").replace(
        "\n", " "
    )
    assert f"Documents carry a format number, {FORMAT} so far" in DEPLOYMENT_PAGE


def test_what_is_said_of_usage_is_as_the_code_and_the_template_have_it() -> None:
    told, parameters = section(OPERATIONS_PAGE, "Usage"), TEMPLATE["Parameters"]
    for name in ("UsageAlarmMinutes", "UsageAlarmDatapoints"):
        assert f"`{name}` ({parameters[name]['Default']})" in told
    assert f"more than {MOST_WORKLOADS:,} workloads" in told
    assert MARGIN == 5
    assert "not done five seconds before the function ends" in told
    words = " ".join(told.split())
    assert f"older than {STALE.seconds // 60} minutes" in words
    assert f"The first {MOST_SETTLED} by a message each" in words
    assert f"within {AGAIN.seconds // 60} minutes of its end" in words
    assert LOST.total_seconds() == 3600
    assert "longer than an hour" in words


def test_permissions_in_a_vpc_and_denials_are_listed() -> None:
    told = actions(section(PERMISSIONS_PAGE, "In a VPC"))
    for allowed, _ in in_a_vpc().values():
        assert told - {"lambda:SourceFunctionArn"} == set(allowed["Action"])
    (denied,) = [each for each in STATEMENTS if each["Effect"] == "Deny"]
    keys = set(denied["Condition"]["ArnLike"])
    assert actions(section(PERMISSIONS_PAGE, "Denied")) - keys == set(denied["Action"])


def test_what_is_said_not_to_be_granted_is_not() -> None:
    granted = {
        action
        for each in STATEMENTS
        if each["Effect"] == "Allow" and not mentions(each["Resource"], "FailedInvocations")
        for action in listed(each["Action"])
    }
    not_granted = actions(section(PERMISSIONS_PAGE, "What is not granted")) - {"sqs:SendMessage"}
    assert not_granted
    assert not_granted & granted == set()
    assert not any(mentions(each["Resource"], "UndeliveredEvents") for each in STATEMENTS)


def test_what_is_read_of_kubernetes_is_listed_with_who_reads_it_and_who_is_let_in() -> None:
    names = {id(resource): name for name, resource in vars(kinds).items()}
    readers: dict[tuple[str, str], set[str]] = {(each.verb, each.resource.plural): set() for each in READS}
    for module, functions in READING.items():
        asked = _reads_of(module)
        for each in READS:
            if (each.verb, names[id(each.resource)]) in asked:
                readers[each.verb, each.resource.plural].update(functions)
    told = section(PERMISSIONS_PAGE, "In Kubernetes")
    assert {(row[0], row[1]): set(row[2].split(", ")) for row in rows(told)} == readers
    for role in READERS:
        assert f"`{role}`" in told


def _reads_of(module: str) -> set[tuple[str, str]]:
    """Verb and resource of every read in a module of governor.aws."""
    tree = ast.parse((Path(governor.__file__).parent / "aws" / module).read_text())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Attribute):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("get", "pages"):
                found.add(("list" if called == "pages" else "get", node.args[0].attr))
    return found


def test_the_endpoints_of_a_vpc_are_those_of_the_services_that_are_called() -> None:
    head, *found = table(section(DEPLOYMENT_PAGE, "In a VPC"))
    assert {row[0].split(" ")[0].strip("`") for row in found} == {
        ENDPOINTS.get(service, service) for service in OPERATIONS
    }
    assert set(head[1:]) == _in_a_vpc()


def test_a_function_needs_the_endpoints_of_the_services_that_its_role_may_call() -> None:
    head, *found = table(section(DEPLOYMENT_PAGE, "In a VPC"))
    needed = {name: {row[0].split(" ")[0].strip("`") for row in found if row[head.index(name)]} for name in head[1:]}
    by_lambda = {"logs"}  # and failed invocations: Lambda itself speaks to both, from outside of the VPC
    for name, endpoints in needed.items():
        role = "".join(word.capitalize() for word in name.split("_")) + "Role"
        granted = {
            ENDPOINTS.get(service, service)
            for each in roles()[role]
            if each["Effect"] == "Allow" and each["Sid"] not in ("Failures", "SageMakerOnOurBehalf")
            for service in (action.partition(":")[0] for action in listed(each["Action"]))
        }
        assert endpoints == granted - by_lambda, name


def test_the_costs_count_what_there_is() -> None:
    costs = {row[0]: row[1] for row in rows(section(DEPLOYMENT_PAGE, "Cost"))}
    alarms = properties("AWS::CloudWatch::Alarm")
    queries = [name for name, each in alarms.items() if "Metrics" in each]
    assert costs["alarms"].startswith(f"{len(alarms) - len(queries)} × $0.10; {len(queries)} more ")
    assert costs["metrics"].startswith(f"{len(get_args(Verdict))}, ")


def test_the_longest_name_of_a_stack_leaves_room_for_the_names_of_its_functions() -> None:
    names = [each["FunctionName"]["Fn::Sub"] for each in FUNCTIONS.values()]
    room = 64 - max(len(name.removeprefix("${AWS::StackName}")) for name in names)
    assert f"{room} characters" in DEPLOYMENT_PAGE
