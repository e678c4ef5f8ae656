"""One call from request to answer: contract, faults, bounds, the operation itself, contract again.

One lock guards the account, the fault rules and the journal. It is held while they are read or changed and
never while a call waits, is judged or is written out.
"""

import functools
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.hyperpod import contract
from local.hyperpod.authorization import ANY, Need, needs_of, needs_on_behalf, permitted
from local.hyperpod.clock import Clock
from local.hyperpod.constraints import out_of_bounds
from local.hyperpod.ec2 import describe_instance_types
from local.hyperpod.effects import Effects, effects_of
from local.hyperpod.errors import ApiError, access_denied, contract_violation, unauthorized_operation
from local.hyperpod.faults import Faults
from local.hyperpod.governing import Governing
from local.hyperpod.journal import Call, Journal, Violation
from local.hyperpod.request import SOMEBODY_ELSE, Begun, Caller, JsonObject, Request
from local.hyperpod.settings import Settings
from local.hyperpod.state import State

OK = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body as they go out; None is an empty body. A dropped answer never goes out."""

    status: int
    body: JsonObject | None
    dropped: bool = False


class Service:
    def __init__(self, clock: Clock, settings: Settings) -> None:
        self.lock = threading.Lock()
        self.clock = clock
        self._initial_settings = settings
        self._closing = threading.Event()
        self.governing = Governing(self)
        self.reset()

    def reset(self) -> None:
        """As it was at the start."""
        self.governing.forget()
        self.settings = self._initial_settings
        self.state = State()
        self.faults = Faults()
        self.journal = Journal()

    def close(self) -> None:
        """Let the calls that wait go on at once, so that the process can end."""
        self._closing.set()
        self.governing.close()

    def call(self, operation: str, body: Any, caller: Caller) -> Answer:
        """Answer a call of an operation. Whatever goes wrong becomes an error answer."""
        began = self.clock.now()
        effects = Effects()
        result: JsonObject = {}
        error: ApiError | None = None
        try:
            self._judge(operation, "request", contract.request_violation(operation, body))
            caller = self._permitted(operation, body, caller)
            effects = self._effects_on(operation, body)
            result = effects.broken(self._handled(operation, body, caller, effects))
            self._judge(operation, "answer", contract.answer_violation(operation, result))
        except ApiError as raised:
            error = raised
        self._write_down(operation, began, caller, body, result, error)
        if error is None:
            return Answer(OK, None if contract.answers_nothing(operation) else result, effects.dropped)
        return self._error_answer(operation, error, effects.dropped)

    def call_ec2(self, form: str, caller: Caller) -> str:
        """Answer a DescribeInstanceTypes call with XML. Raises ApiError."""
        began, settings = self.clock.now(), self.settings
        error: ApiError | None = None
        self._wait(settings.latency_seconds)
        try:
            if settings.authorize is not None:
                needs = [Need("ec2:DescribeInstanceTypes", ANY)]
                caller = permitted(settings.authorize, caller, needs, unauthorized_operation)
            return describe_instance_types(form, available=settings.ec2_available)
        except ApiError as raised:
            error = raised
            raise
        finally:
            self._write_down("DescribeInstanceTypes", began, caller, form, {}, error)

    def _permitted(self, operation: str, body: JsonObject, caller: Caller) -> Caller:
        """The caller as the identity service knows it. Raises ApiError when the caller may not do this."""
        url = self.settings.authorize
        if url is None:
            return caller
        with self.lock:
            needs = [
                *needs_of(operation, body, caller.region, functools.partial(self.state.cluster_arn, caller.region)),
                *needs_on_behalf(operation, self.state.eks_cluster_arn(body)),
            ]
        return permitted(url, caller, needs, access_denied)

    def _effects_on(self, operation: str, body: Mapping[str, Any]) -> Effects:
        with self.lock:
            return effects_of(self.faults.take(operation, self.state.subject(body)))

    def _handled(self, operation: str, body: JsonObject, caller: Caller, effects: Effects) -> JsonObject:
        self._wait(self.settings.latency_seconds + effects.delay)
        if effects.error is not None:
            raise effects.error
        shape = contract.operation_model(operation).input_shape
        refusal = out_of_bounds(shape, body) if shape else None
        if refusal is not None:
            raise refusal
        with self.lock:
            begun: list[Begun] | None = [] if self.settings.reaches_kubernetes else None
            request = Request(operation, body, caller, self.clock.now(), self.settings, effects.ending, begun)
            try:
                for changes in effects.foreign_updates:
                    self.state.update_unasked(request, Caller(SOMEBODY_ELSE, caller.region), changes)
                return self.state.operations[operation](request)
            finally:
                for each in begun or ():
                    self.governing.follow(each)

    def _judge(self, operation: str, side: str, breach: str | None) -> None:
        """Write a breach of the contract down and raise it."""
        if breach is None:
            return
        with self.lock:
            self.journal.violations.append(Violation(operation, side, breach, self.clock.now()))
        raise contract_violation(f"{operation} {side}: {breach}")

    def _error_answer(self, operation: str, error: ApiError, dropped: bool) -> Answer:
        body = {"__type": error.code, "Message": error.message}
        try:
            self._judge(operation, "error", contract.error_violation(error.code, {"Message": error.message}))
        except ApiError as breach:
            body = {"__type": breach.code, "Message": breach.message}
            return Answer(breach.http_status, body, dropped)
        return Answer(error.http_status, body, dropped)

    def _write_down(
        self,
        operation: str,
        began: float,
        caller: Caller,
        body: Any,
        result: JsonObject,
        error: ApiError | None,
    ) -> None:
        with self.lock:
            subject = self.state.subject(body) if isinstance(body, dict) else {}
            made = result.get("ComputeQuotaId") or result.get("ClusterSchedulerConfigId") or ""
            self.journal.calls.append(
                Call(
                    operation=operation,
                    time=began,
                    access_key=caller.access_key,
                    status=error.http_status if error else OK,
                    error_code=error.code if error else None,
                    resource_id=subject.get("id") or str(made),
                    name=subject.get("name", ""),
                    request=body,
                )
            )

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._closing.wait(seconds)
