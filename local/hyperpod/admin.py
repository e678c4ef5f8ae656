"""The admin endpoint: makes clusters, changes settings, puts faults in, tells what happened."""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from local.hyperpod import contract
from local.hyperpod.clusters import ClusterChange, ClusterSpec, described
from local.hyperpod.errors import ApiError, not_found, validation
from local.hyperpod.faults import AnyRule
from local.hyperpod.lifecycle import Phase
from local.hyperpod.request import JsonObject
from local.hyperpod.service import Service

PREFIX = "/_admin/"
DEFAULT_REGION = "us-west-2"


class StatusChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    status: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """An admin request: the named part of its path, its JSON body, the Region it is about."""

    subject: str
    body: Any
    region: str = DEFAULT_REGION


class Admin:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._routes: list[tuple[str, re.Pattern[str], Callable[[Ask], JsonObject]]] = [
            (method, re.compile(path), handler)
            for method, path, handler in (
                ("GET", "health", self._health),
                ("POST", "clusters", self._add_cluster),
                ("PATCH", "clusters/([^/]+)", self._change_cluster),
                ("DELETE", "clusters/([^/]+)", self._remove_cluster),
                ("POST", "clusters/([^/]+)/restore", self._restore),
                ("POST", "eks-clusters/([^/]+)/restore", self._restore_above),
                ("GET", "governing", self._governing),
                ("POST", "resources/([^/]+)/status", self._force_status),
                ("GET", "settings", self._settings),
                ("POST", "settings", self._change_settings),
                ("GET", "calls", self._calls),
                ("DELETE", "calls", self._forget_calls),
                ("GET", "violations", self._violations),
                ("DELETE", "violations", self._forget_violations),
                ("GET", "faults", self._faults),
                ("POST", "faults", self._add_faults),
                ("DELETE", "faults", self._clear_faults),
                ("POST", "reset", self._reset),
            )
        ]

    def answer(self, method: str, path: str, body: Any, region: str | None) -> tuple[int, JsonObject]:
        """Status and JSON of the answer to a request below /_admin/. Nothing is raised for a bad request."""
        for known_method, pattern, handler in self._routes:
            found = pattern.fullmatch(path.removeprefix(PREFIX))
            if found and known_method == method:
                ask = Ask(found[1] if pattern.groups else "", body, region or DEFAULT_REGION)
                try:
                    with self._service.lock:
                        return 200, handler(ask)
                except msgspec.ValidationError as error:
                    return 400, {"error": str(error)}
                except ApiError as error:
                    status = 404 if error.code == "ResourceNotFound" else error.http_status
                    return status, {"error": error.message}
        return 404, {"error": f"There is no {method} {path}."}

    def _health(self, _: Ask) -> JsonObject:
        return {"status": "ok", "time": self._service.clock.now()}

    def _add_cluster(self, ask: Ask) -> JsonObject:
        spec = msgspec.convert(ask.body, ClusterSpec)
        cluster = self._service.state.clusters.add(spec, self._service.clock.now())
        shown = described(cluster)
        breach = contract.answer_violation("DescribeCluster", shown)
        if breach is not None:
            self._service.state.clusters.remove(spec.region, spec.name)
            raise validation(f"DescribeCluster could not show this cluster: {breach}")
        return shown

    def _change_cluster(self, ask: Ask) -> JsonObject:
        change = msgspec.convert(ask.body, ClusterChange)
        cluster = self._service.state.clusters.change(ask.region, ask.subject, change)
        self._begin_restoring([cluster.arn])
        return described(cluster)

    def _remove_cluster(self, ask: Ask) -> JsonObject:
        return {"ClusterArn": self._service.state.remove_cluster(ask.region, ask.subject)}

    def _restore(self, ask: Ask) -> JsonObject:
        arn = self._service.state.clusters.arn_of(ask.region, ask.subject)
        if arn is None:
            raise not_found(f"Cluster {ask.subject} does not exist.")
        return self._begin_restoring([arn])

    def _restore_above(self, ask: Ask) -> JsonObject:
        return self._begin_restoring(self._service.state.clusters.above(ask.subject))

    def _begin_restoring(self, arns: list[str]) -> JsonObject:
        if self._service.settings.reaches_kubernetes:
            for arn in arns:
                self._service.governing.restore(arn)
        return self._governing(Ask("", {}))

    def _governing(self, _: Ask) -> JsonObject:
        return {"waiting": self._service.governing.waiting()}

    def _force_status(self, ask: Ask) -> JsonObject:
        change = msgspec.convert(ask.body, StatusChange)
        if change.status not in contract.statuses():
            raise validation(f"{change.status} is none of {', '.join(contract.statuses())}.")
        phase = Phase(self._service.clock.now(), change.status, change.reason)
        if not self._service.state.force_status(ask.subject, phase):
            raise not_found(f"There is no compute quota and no cluster policy {ask.subject}.")
        return {"status": change.status}

    def _settings(self, _: Ask) -> JsonObject:
        shown: JsonObject = msgspec.to_builtins(self._service.settings)
        return shown

    def _change_settings(self, ask: Ask) -> JsonObject:
        self._service.settings = self._service.settings.changed(ask.body)
        return self._settings(ask)

    def _calls(self, _: Ask) -> JsonObject:
        calls = self._service.journal.calls
        reads = sum(call.is_read for call in calls)
        return {
            "calls": [dataclasses.asdict(call) for call in calls],
            "reads": reads,
            "writes": len(calls) - reads,
        }

    def _forget_calls(self, _: Ask) -> JsonObject:
        self._service.journal.calls.clear()
        return {}

    def _violations(self, _: Ask) -> JsonObject:
        return {"violations": [dataclasses.asdict(each) for each in self._service.journal.violations]}

    def _forget_violations(self, ask: Ask) -> JsonObject:
        """Empty the list and answer what it held, so that nothing is lost between reading and emptying."""
        held = self._violations(ask)
        self._service.journal.violations.clear()
        return held

    def _faults(self, _: Ask) -> JsonObject:
        return {"faults": self._service.faults.listed()}

    def _add_faults(self, ask: Ask) -> JsonObject:
        """One rule, or a list of them."""
        asked = ask.body if isinstance(ask.body, list) else [ask.body]
        for rule in msgspec.convert(asked, list[AnyRule]):
            self._service.faults.add(rule)
        return self._faults(ask)

    def _clear_faults(self, _: Ask) -> JsonObject:
        self._service.faults.clear()
        return {}

    def _reset(self, _: Ask) -> JsonObject:
        self._service.reset()
        return {}
