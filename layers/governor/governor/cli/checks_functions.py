"""Checks that fit any function of a stack, and the rule that invokes it."""

from collections.abc import Iterator

import msgspec

from governor.cli.checkup import Finding, Patient, judged, ok, problem


class Part(msgspec.Struct, frozen=True):
    """A function of the product: what people call it, and the output of the stack that has its name in the account."""

    name: str
    output: str


RECEIVE = Part("receive_policy", "ReceivePolicyFunctionName")
APPLY = Part("apply_policy", "ApplyPolicyFunctionName")
VERIFY = Part("verify_addon", "VerifyAddonFunctionName")
PUBLISH = Part("publish_metrics", "PublishMetricsFunctionName")
NOTIFY = Part("notify_usage", "NotifyUsageFunctionName")


def rule(logical: str, reached: Part, what: str, patient: Patient) -> Iterator[Finding]:
    """A rule is on, reaches its function, and what it cannot deliver is kept; ``what`` is so without it."""
    found = patient.inspection.rule(rule_name(logical, patient))
    about = f"rule {logical}"
    if not found.enabled:
        yield problem(about, f"is disabled: {what}", f"aws events enable-rule --name {found.name}")
        return
    receiver = patient.function(reached.output).arn
    dead_letters = [queue for target, queue in found.targets if target == receiver]
    if not dead_letters:
        yield problem(about, f"does not reach {reached.name}: {what}")
    elif not all(dead_letters):
        yield problem(about, "has no dead-letter queue: an event that cannot be delivered is lost")
    else:
        yield ok(about, f"is enabled and reaches {reached.name}, with a dead-letter queue")


def rule_name(logical: str, patient: Patient) -> str:
    """A rule's name in the account, by the one in the template."""
    return patient.resource(logical).rpartition("|")[2]


def function(part: Part, patient: Patient) -> Iterator[Finding]:
    """A function is active, and runs what it was built for."""
    found = patient.function(part.output)
    wanted = (patient.parameter("Runtime"), patient.parameter("Architecture"))
    told = f"{found.runtime} on {found.architecture}, {found.timeout} s, last changed {found.modified[:19]}"
    if found.state not in ("Active", "Inactive"):
        yield problem(found.name, f"is {found.state}: {found.reason}")
    elif found.update == "Failed":
        yield problem(found.name, f"its last update failed: {found.reason}")
    elif all(wanted) and (found.runtime, found.architecture) != wanted:
        yield problem(
            found.name,
            f"runs {found.runtime} on {found.architecture}, and its layers were built for {wanted[0]} on {wanted[1]}",
        )
    else:
        yield ok(found.name, f"is {found.state.lower()}: {told}")


def concurrency(part: Part, patient: Patient) -> Iterator[Finding]:
    """A reserved concurrency of 0 is how a function is switched off."""
    name = patient.output(part.output)
    reserved = patient.inspection.reserved(name)
    yield judged(
        name,
        good=reserved != 0,
        well="may run" + (f"; concurrency of {reserved} reserved" if reserved else ""),
        ill="is switched off: its reserved concurrency is 0",
        remedy=f"aws lambda delete-function-concurrency --function-name {name}",
    )
