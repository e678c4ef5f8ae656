"""EKS by botocore's own model: every request and answer is checked by it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from governor.addon.seen import Addon, EksCluster, Issue, Offered
from governor.addon.versions import ADDON
from governor.aws.eks import EksApi
from governor.errors import AccessError, ConflictError, GovernorError, NotFoundError, PermanentError, TransientError

NAMED = {"clusterName": "ml", "addonName": ADDON}


@pytest.fixture
def stub() -> Iterator[Stubber]:
    client = boto3.Session("k", "s", region_name="us-west-2").client("eks")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def eks(stub: Stubber) -> EksApi:
    return EksApi(lambda: stub.client)


def _addon(status: str = "ACTIVE", **more: Any) -> dict[str, Any]:
    return {
        "addon": {
            "addonName": ADDON,
            "clusterName": "ml",
            "addonVersion": "v1.6.1-eksbuild.1",
            "status": status,
            **more,
        }
    }


def test_a_cluster(eks: EksApi, stub: Stubber) -> None:
    answer = {
        "name": "ml",
        "arn": "arn:aws:eks:us-west-2:123456789012:cluster/ml",
        "status": "ACTIVE",
        "version": "1.33",
        "accessConfig": {"authenticationMode": "API"},
        "resourcesVpcConfig": {"endpointPublicAccess": False, "endpointPrivateAccess": True},
    }
    stub.add_response("describe_cluster", {"cluster": answer}, {"name": "ml"})
    expected = EksCluster("ml", answer["arn"], "ACTIVE", "1.33", "API")  # type: ignore[arg-type]
    assert eks.cluster("ml") == expected
    stub.add_client_error("describe_cluster", "ResourceNotFoundException", "No cluster found for name: ml.", 404)
    with pytest.raises(NotFoundError, match="No cluster found"):
        eks.cluster("ml")


def test_an_addon_its_issues_and_its_absence(eks: EksApi, stub: Stubber) -> None:
    issues = [{"code": "AccessDenied", "message": "no", "resourceIds": ["a"]}, {"code": "InternalFailure"}]
    stub.add_response("describe_addon", _addon("DEGRADED", health={"issues": issues}), NAMED)
    assert eks.addon("ml") == Addon(
        "v1.6.1-eksbuild.1", "DEGRADED", (Issue("AccessDenied", "no", ("a",)), Issue("InternalFailure", ""))
    )
    stub.add_client_error("describe_addon", "ResourceNotFoundException", "No addon", 404)
    assert eks.addon("ml") is None


def _update(number: int, status: str, *errors: dict[str, Any]) -> dict[str, Any]:
    made = datetime(2026, 11, 24, number, tzinfo=UTC)
    return {
        "update": {
            "id": f"u{number}",
            "status": status,
            "type": "AddonUpdate",
            "createdAt": made,
            "errors": list(errors),
        }
    }


def test_the_errors_of_the_newest_failed_update_are_read_where_the_update_failed(eks: EksApi, stub: Stubber) -> None:
    stub.add_response("describe_addon", _addon("UPDATE_FAILED"), NAMED)
    stub.add_response("list_updates", {"updateIds": ["u1", "u2", "u3"]}, {"name": "ml", "addonName": ADDON})
    error = {"errorCode": "ConfigurationConflict", "errorMessage": "status.storedVersions[0]", "resourceIds": ["crd"]}
    answers = {
        "u1": _update(1, "Failed", {"errorCode": "Unknown"}),
        "u2": _update(3, "Failed", error),
        "u3": _update(2, "Successful"),
    }
    for name, answer in answers.items():
        stub.add_response("describe_update", answer, {"name": "ml", "updateId": name, "addonName": ADDON})
    found = eks.addon("ml")
    assert found is not None
    assert found.errors == (Issue("ConfigurationConflict", "status.storedVersions[0]", ("crd",)),)


def test_errors_that_may_not_be_read_do_not_hide_the_failure(eks: EksApi, stub: Stubber) -> None:
    stub.add_response("describe_addon", _addon("UPDATE_FAILED"), NAMED)
    stub.add_client_error("list_updates", "AccessDeniedException", "not authorized to perform: eks:ListUpdates", 403)
    found = eks.addon("ml")
    assert found is not None
    assert found.status == "UPDATE_FAILED"
    assert "eks:ListUpdates" in found.errors[0].message


def test_versions_by_pages_the_newest_first(eks: EksApi, stub: Stubber) -> None:
    def version(name: str, *defaults: str) -> dict[str, Any]:
        known = [{"clusterVersion": each, "defaultVersion": each in defaults} for each in ("1.32", "1.33")]
        return {"addonVersion": name, "compatibilities": known}

    asked = {"addonName": ADDON, "kubernetesVersion": "1.33", "maxResults": 100}
    one = {"addonName": ADDON, "addonVersions": [version("v1.6.1-eksbuild.1", "1.33"), version("v1.10.0-eksbuild.1")]}
    other = {"addonName": ADDON, "addonVersions": [version("v1.6.1-eksbuild.2", "1.32"), version("odd")]}
    stub.add_response("describe_addon_versions", {"addons": [one], "nextToken": "t"}, asked)
    stub.add_response("describe_addon_versions", {"addons": [other]}, {**asked, "nextToken": "t"})
    assert eks.offered("1.33") == (
        Offered("v1.10.0-eksbuild.1"),
        Offered("v1.6.1-eksbuild.2"),
        Offered("v1.6.1-eksbuild.1", default=True),
        Offered("odd"),
    )


def test_creating_and_updating_ask_for_what_was_decided(eks: EksApi, stub: Stubber) -> None:
    stub.add_response(
        "create_addon",
        _addon("CREATING"),
        {**NAMED, "addonVersion": "v1.6.1-eksbuild.1", "resolveConflicts": "NONE", "tags": {"a": "b"}},
    )
    eks.create("ml", "v1.6.1-eksbuild.1", "NONE", {"a": "b"})
    stub.add_response(
        "update_addon",
        _update(1, "InProgress"),
        {**NAMED, "addonVersion": "v1.6.1-eksbuild.2", "resolveConflicts": "OVERWRITE"},
    )
    eks.update("ml", "v1.6.1-eksbuild.2", "OVERWRITE")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ResourceInUseException", 409, ConflictError),
        ("InvalidParameterException", 400, PermanentError),
        ("AccessDeniedException", 403, AccessError),
        ("ThrottlingException", 429, TransientError),
        ("ServerException", 500, TransientError),
        ("ServiceUnavailableException", 503, TransientError),
        ("ExpiredTokenException", 403, AccessError),
    ],
)
def test_errors_are_split_by_what_to_do(
    eks: EksApi, stub: Stubber, code: str, status: int, kind: type[GovernorError]
) -> None:
    changes: list[tuple[str, Callable[[], None]]] = [
        ("create_addon", lambda: eks.create("ml", "v1.6.1-eksbuild.1", "NONE", {})),
        ("update_addon", lambda: eks.update("ml", "v1.6.1-eksbuild.1", "NONE")),
    ]
    for operation, change in changes:
        stub.add_client_error(operation, code, "what EKS says", status)
        with pytest.raises(kind, match="what EKS says"):
            change()
