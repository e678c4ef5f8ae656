"""Whoever asks gets an answer, also when the server itself is at fault."""

import logging
from typing import Any

import pytest

from local.kubernetes.admission import Plugin
from local.kubernetes.errors import Cause, JsonObject
from local.kubernetes.resources import Resource
from local.kubernetes.server import KubernetesServer


class Broken(Plugin):
    """A plugin with a fault."""

    def prepared(self, resource: Resource, new: JsonObject, old: JsonObject | None, /) -> JsonObject:
        """Fails."""
        raise ZeroDivisionError("of no use")

    def causes(self, resource: Resource, new: JsonObject, old: JsonObject | None, /) -> list[Cause]:
        return []

    def review(self, resource: Resource, new: JsonObject, old: JsonObject | None, /) -> None:
        """Nothing."""


def test_a_fault_of_the_server_is_a_status(caplog: pytest.LogCaptureFixture) -> None:
    with KubernetesServer() as server:
        cluster = server.add_cluster("broken")
        cluster.objects.admission.plugins = (Broken(),)
        body: dict[str, Any] = {"metadata": {"name": "new"}}
        with caplog.at_level(logging.ERROR):
            reply = cluster.call("POST", "/api/v1/namespaces", body)
        told = "Internal error occurred: ZeroDivisionError: of no use"
        assert (reply.status, reply.json["reason"], reply.json["message"]) == (500, "InternalError", told)
        assert "POST /api/v1/namespaces has failed" in caplog.text
        assert cluster.call("GET", "/api/v1/namespaces").status == 200
        assert cluster.requests()[0]["status"] == 500
