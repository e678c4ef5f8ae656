"""The ARNs that EKS judges calls by (Service Authorization Reference), and tags that take a permission of their own."""

import json
import re
from typing import Any
from urllib.parse import unquote

from ministack.core import iam_actions, iam_evaluator
from ministack.core.router import extract_access_key_id, extract_region
from ministack.services import eks

from local.aws.runner.eks_access import entry_prefix
from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings

NOT_ABOUT_A_CLUSTER = ("/addons/", "/cluster-versions", "/access-policies")
ADDON = re.compile(r"/clusters/([^/]+)/addons/([^/]+)(?:/update)?")
ENTRY = re.compile(r"/clusters/([^/]+)/access-entries/(.+?)(?:/access-policies.*)?")
MAKES_ADDON = re.compile(r"/clusters/([^/]+)/addons")
MAKES_ENTRY = re.compile(r"/clusters/([^/]+)/access-entries")


def resource_of(path: str, otherwise: str) -> str:
    """The ARN of what a call is about; a `*` stands for the unique part of what is not there.

    `otherwise` is MiniStack's answer, the ARN of the cluster in the path.
    """
    path = unquote(path).rstrip("/")
    if path.startswith(NOT_ABOUT_A_CLUSTER):
        return "*"
    if path.startswith("/tags/"):
        return path.removeprefix("/tags/")
    if found := ADDON.fullmatch(path):
        return _addon(found[1], found[2], otherwise)
    if found := ENTRY.fullmatch(path):
        entry = eks._access_entries.get(eks._ae_key(found[1], found[2]))
        return str(entry["accessEntryArn"]) if entry else f"{entry_prefix(found[1], found[2])}/*"
    return otherwise


def _addon(cluster: str, name: str, cluster_arn: str) -> str:
    addon = eks._addons.get(f"{cluster}/{name}")
    prefix = cluster_arn.partition(":cluster/")[0]
    return str(addon["addonArn"]) if addon else f"{prefix}:addon/{cluster}/{name}/*"


def ask_about_tags(_: RunnerSettings) -> None:
    """To make something with tags takes eks:TagResource too; MiniStack asks for the action alone."""

    @around(eks, "_handle_request_sync")
    def with_tags(handle: Function) -> Function:
        def handled(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
            asked = json.loads(body) if body[:1] == b"{" else {}
            if method == "POST" and asked.get("tags") and not path.startswith("/tags/"):
                made = _made(path, asked)
                refusal = _refusal(made, headers, body, query) if made else None
                if refusal is not None:
                    return refusal
            return handle(method, path, headers, body, query)

        return handled


def _made(path: str, asked: dict[str, Any]) -> str | None:
    """The ARN of the cluster, add-on or access entry that is being made; None for anything else."""
    if found := MAKES_ADDON.fullmatch(path):
        return _addon(found[1], asked.get("addonName", ""), eks._cluster_arn(found[1]))
    if found := MAKES_ENTRY.fullmatch(path):
        return f"{entry_prefix(found[1], asked.get('principalArn', ''))}/*"
    return str(eks._cluster_arn(asked.get("name", ""))) if path == "/clusters" else None


def _refusal(resource: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
    action = "eks:TagResource"
    denied = iam_evaluator.enforce(
        extract_access_key_id(headers, query),
        action,
        "eks",
        extract_region(headers),
        resource_arn=resource,
        service_context=iam_actions.request_tag_context("eks", action, body, query),
    )
    if not isinstance(denied, iam_evaluator.EvalResult):
        return None
    told = iam_actions.identity_denial_message(action, denied.principal_arn, resource, denied.decision == "Deny")
    return iam_actions.access_denied_response(
        "eks", action, denied.principal_arn, "denied", message=told, headers=headers
    )
