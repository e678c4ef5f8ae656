"""Condition keys that AWS puts into a request's context and MiniStack does not."""

import json
import re
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs, unquote

import cbor2
from ministack import app
from ministack.core import iam_actions

from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings


def take_loopback_for_tls(_: RunnerSettings) -> None:
    """`aws:SecureTransport` is true: a bucket policy that asks for TLS would deny everything on plain loopback."""

    @around(app, "pin_request_origin")
    def secure(pin: Function) -> Function:
        return lambda address, _is_tls: pin(address, True)


_PRECONDITIONS = ("if-match", "if-none-match")

_path: ContextVar[str] = ContextVar("path", default="")


def add_condition_keys(_: RunnerSettings) -> None:
    """`cloudwatch:namespace` of PutMetricData, `aws:ViaAWSService`, which is false for whatever comes in here, and
    `eks:principalArn` and its like; `events:source` of PutEvents; `s3:if-none-match` of PutObject.

    Without them a role limited to its own namespace is denied every metric, and a Deny about access entries is none.
    """

    @around(iam_actions, "extract_resource_arn")
    def note_path(extract: Function) -> Function:
        def extracted(service: str, method: str, path: str, *rest: Any) -> Any:
            _path.set(path)
            return extract(service, method, path, *rest)

        return extracted

    @around(iam_actions, "request_tag_context")
    def with_keys(context_of: Function) -> Function:
        def context(service: str, action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
            found = {"aws:ViaAWSService": "false", **context_of(service, action, body, params)}
            if action == "cloudwatch:PutMetricData":
                found["cloudwatch:namespace"] = _namespace(body, params)
            if action == "events:PutEvents":
                found["events:source"] = _sources(body)
            if service == "eks":
                found.update(_access_entry(_path.get(), body))
            return found

        return context

    @around(iam_actions, "s3_service_context")
    def with_preconditions(context_of: Function) -> Function:
        def context(action: str, query: Any, path: str = "", headers: Any = None) -> dict[str, Any]:
            found: dict[str, Any] = dict(context_of(action, query, path, headers))
            if action == "s3:PutObject":
                found.update({f"s3:{name}": headers[name] for name in _PRECONDITIONS if name in (headers or {})})
            return found

        return context


def _access_entry(path: str, body: bytes) -> dict[str, Any]:
    """Whose access entry a call to EKS is about, what it says of it, and the policy and scope that it associates."""
    asked = json.loads(body) if body[:1] == b"{" else {}
    found = re.search(r"/access-entries/(.+?)(?:/access-policies.*)?$", unquote(path))
    keys = {
        "eks:principalArn": asked.get("principalArn") or (found[1] if found else None),
        "eks:policyArn": asked.get("policyArn"),
        "eks:accessScope": (asked.get("accessScope") or {}).get("type"),
        "eks:namespaces": (asked.get("accessScope") or {}).get("namespaces"),
        "eks:kubernetesGroups": asked.get("kubernetesGroups"),
        "eks:username": asked.get("username"),
        "eks:authenticationMode": (asked.get("accessConfig") or {}).get("authenticationMode"),
    }
    return {name: value for name, value in keys.items() if value}


def _sources(body: bytes) -> str | list[str]:
    """The source of the events of a PutEvents call; all of them where they differ."""
    asked = json.loads(body) if body[:1] == b"{" else {}
    sources = sorted({str(entry.get("Source", "")) for entry in asked.get("Entries", [])})
    return sources[0] if len(sources) == 1 else sources


def _namespace(body: bytes, params: dict[str, Any]) -> str:
    """The namespace in any of the three encodings: JSON, a query string, or the CBOR of newer SDKs."""
    if body[:1] == b"{":
        return str(json.loads(body).get("Namespace", ""))
    asked = params.get("Namespace") or parse_qs(body.decode("latin-1")).get("Namespace")
    if asked:
        return str(asked[0] if isinstance(asked, list) else asked)
    return str(cbor2.loads(body).get("Namespace", ""))
