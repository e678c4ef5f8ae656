"""EKS: clusters, and the task governance add-on on them."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from governor.addon.ports import ResolveConflicts
from governor.addon.seen import Addon, EksCluster, Issue, Offered
from governor.addon.versions import ADDON, Version, version_of
from governor.aws.failures import mapped
from governor.errors import ConflictError, GovernorError, NotFoundError

PAGE = 100
MOST_UPDATES = 10
MOST_TEXT, MOST_RESOURCES = 2_000, 50
"""Of an issue: what is kept has to be read by somebody."""
_LAST_RESORT = Version(0, 0, 0, 0)


class EksApi:
    """One account and Region. The client is made when it is first needed."""

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client

    def cluster(self, name: str) -> EksCluster:
        """A cluster; NotFoundError."""
        with mapped(f"DescribeCluster of EKS '{name}'"):
            answer: Mapping[str, Any] = self._client().describe_cluster(name=name)["cluster"]
        return EksCluster(
            name=answer.get("name", name),
            arn=answer.get("arn", ""),
            status=answer.get("status", ""),
            version=answer.get("version", ""),
            authentication_mode=answer.get("accessConfig", {}).get("authenticationMode", ""),
        )

    def addon(self, cluster: str) -> Addon | None:
        """The task governance add-on, with the errors of its last update where that failed; None where it is not
        installed."""
        try:
            with mapped(f"DescribeAddon {ADDON} on '{cluster}'"):
                answer: Mapping[str, Any] = self._client().describe_addon(clusterName=cluster, addonName=ADDON)["addon"]
        except NotFoundError:
            return None
        status = answer.get("status", "")
        return Addon(
            version=answer.get("addonVersion", ""),
            status=status,
            issues=tuple(_issue(item, "code", "message") for item in answer.get("health", {}).get("issues", ())),
            errors=self._errors(cluster) if status == "UPDATE_FAILED" else (),
        )

    def _errors(self, cluster: str) -> tuple[Issue, ...]:
        """Why the newest update failed. What cannot be read is no reason to hide that it did."""
        try:
            updates = [self._update(cluster, each) for each in self._updates(cluster)]
        except GovernorError as error:
            return (Issue("", f"its errors cannot be read: {error}"),)
        failed = [update for update in updates if update.get("status") == "Failed" and "createdAt" in update]
        newest = max(failed, key=lambda update: update["createdAt"], default={})
        return tuple(_issue(item, "errorCode", "errorMessage") for item in newest.get("errors", ()))

    def _updates(self, cluster: str) -> list[str]:
        """The ids of the updates; in which order EKS lists them is not documented, so of many the two ends."""
        with mapped(f"ListUpdates of {ADDON} on '{cluster}'"):
            pages = self._client().get_paginator("list_updates").paginate(name=cluster, addonName=ADDON)
            ids = [each for page in pages for each in page.get("updateIds", ())]
        return ids if len(ids) <= 2 * MOST_UPDATES else [*ids[:MOST_UPDATES], *ids[-MOST_UPDATES:]]

    def _update(self, cluster: str, update: str) -> Mapping[str, Any]:
        with mapped(f"DescribeUpdate {update} of {ADDON} on '{cluster}'"):
            answer: Mapping[str, Any] = self._client().describe_update(name=cluster, updateId=update, addonName=ADDON)
        found: Mapping[str, Any] = answer.get("update", {})
        return found

    def offered(self, kubernetes_version: str) -> tuple[Offered, ...]:
        """The versions of the add-on for a Kubernetes version, the newest first."""
        with mapped(f"DescribeAddonVersions {ADDON}"):
            pages = (
                self._client()
                .get_paginator("describe_addon_versions")
                .paginate(addonName=ADDON, kubernetesVersion=kubernetes_version, PaginationConfig={"PageSize": PAGE})
            )
            items = [
                item
                for page in pages
                for addon in page.get("addons", ())
                if addon.get("addonName", ADDON) == ADDON
                for item in addon.get("addonVersions", ())
            ]
        found = [_offered(item, kubernetes_version) for item in items]
        return tuple(sorted(found, key=lambda each: version_of(each.version) or _LAST_RESORT, reverse=True))

    def create(self, cluster: str, version: str, resolve: ResolveConflicts, tags: Mapping[str, str]) -> None:
        """Start the installation; ConflictError where it is installed already."""
        with mapped(f"CreateAddon {ADDON} {version} on '{cluster}'"), _in_use():
            self._client().create_addon(
                clusterName=cluster, addonName=ADDON, addonVersion=version, resolveConflicts=resolve, tags=dict(tags)
            )

    def update(self, cluster: str, version: str, resolve: ResolveConflicts) -> None:
        """Start an update; ConflictError where another change is under way."""
        with mapped(f"UpdateAddon {ADDON} to {version} on '{cluster}'"), _in_use():
            self._client().update_addon(
                clusterName=cluster, addonName=ADDON, addonVersion=version, resolveConflicts=resolve
            )


@contextlib.contextmanager
def _in_use() -> Iterator[None]:
    """EKS calls ResourceInUse what others call a conflict."""
    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        if answer.get("Code") == "ResourceInUseException":
            raise ConflictError(answer.get("Message", "in use")) from error
        raise


def _issue(item: Mapping[str, Any], code: str, message: str) -> Issue:
    resources = tuple(each[:MOST_TEXT] for each in item.get("resourceIds", ())[:MOST_RESOURCES])
    return Issue(item.get(code, ""), item.get(message, "")[:MOST_TEXT], resources)


def _offered(item: Mapping[str, Any], kubernetes_version: str) -> Offered:
    default = any(
        each.get("defaultVersion", False)
        for each in item.get("compatibilities", ())
        if each.get("clusterVersion") == kubernetes_version
    )
    return Offered(item.get("addonVersion", ""), default)
