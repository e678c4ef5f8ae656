"""Resources of one kind: created, revised, removed and looked up by the rules of `lifecycle`."""

import math
import secrets
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from local.hyperpod.errors import ApiError, limit_exceeded, not_found
from local.hyperpod.lifecycle import (
    CREATE,
    DELETE,
    DELETED,
    UPDATE,
    Kind,
    Phase,
    Resource,
    Revision,
    begun,
    check_delete,
    check_update,
    forced,
    phases_of,
)
from local.hyperpod.paging import DESCENDING, Position, page
from local.hyperpod.request import ACCOUNT, Request

C = TypeVar("C")

Claim = tuple[str, str]
"""What only one resource of a cluster may have: ("name", "vision-quota"), ("team", "vision")."""


SortKey = Callable[[Resource[C], Phase], str | float]


def new_id() -> str:
    """An id as the service gives them: 12 lower case letters and digits."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(12))


def to_milliseconds(moment: float) -> float:
    """The moment as answers carry it, never later than it was."""
    return int(moment * 1000) / 1000


@dataclass(frozen=True, slots=True)
class View(Generic[C]):
    """A resource as it was at one moment."""

    resource: Resource[C]
    phase: Phase
    revision: Revision[C]


class Store(Generic[C]):
    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._by_id: dict[str, Resource[C]] = {}
        self._claims: dict[tuple[str, Claim], str] = {}
        self._created = 0

    def create(
        self,
        request: Request,
        content: C,
        claims: Iterable[tuple[Claim, ApiError]],
        limit: int | None,
    ) -> Resource[C]:
        """A new resource of the cluster that the request names.

        Each claim comes with the error to raise when another resource that is not Deleted has it.
        """
        claims = list(claims)
        cluster_arn, now = request.body["ClusterArn"], request.now
        for claim, error in claims:
            holder = self._by_id.get(self._claims.get((cluster_arn, claim), ""))
            if holder is not None and holder.status_at(now) != DELETED:
                raise error
        if limit is not None and self._count(cluster_arn, now) >= limit:
            raise limit_exceeded(f"The cluster has {limit} of at most {limit} {self.kind.noun.lower()}s: {cluster_arn}")
        resource_id, region = new_id(), request.caller.region
        self._created += 1
        resource = Resource(
            kind=self.kind,
            id=resource_id,
            arn=f"arn:aws:sagemaker:{region}:{ACCOUNT}:{self.kind.segment}/{resource_id}",
            cluster_arn=cluster_arn,
            region=region,
            name=request.body["Name"],
            serial=self._created,
            created_at=to_milliseconds(now),
            phases=phases_of(CREATE, request),
            revisions=(Revision(version=1, at=now, by=request.caller.arn, content=content),),
        )
        self._by_id[resource_id] = resource
        self._claims.update({(cluster_arn, claim): resource_id for claim, _ in claims})
        begun(CREATE, resource, request)
        return resource

    def to_update(self, request: Request, resource_id: str) -> Resource[C]:
        """The resource, if its version and its status let this update begin."""
        resource = self._existing(request, resource_id)
        check_update(resource, request.now, request.body["TargetVersion"])
        return resource

    def revise(self, request: Request, resource: Resource[C], content: C) -> Resource[C]:
        """The next version, with its transition begun."""
        revision = Revision(resource.revisions[-1].version + 1, request.now, request.caller.arn, content)
        past = tuple(phase for phase in resource.phases if phase.at <= request.now)
        revised = replace(
            resource,
            phases=(*past, *phases_of(UPDATE, request)),
            revisions=(*resource.revisions, revision),
        )
        self._by_id[resource.id] = revised
        begun(UPDATE, revised, request)
        return revised

    def open_to_others(self, request: Request, resource_id: str) -> Resource[C] | None:
        """The resource, if another user could have updated it by now: it is neither Deleted nor going to be."""
        resource = self._by_id.get(resource_id)
        if resource is None or resource.status_at(request.now) in {"Deleting", DELETED}:
            return None
        return resource

    def remove(self, request: Request, resource_id: str) -> None:
        resource = self._existing(request, resource_id)
        check_delete(resource, request.now)
        self._by_id[resource_id] = replace(resource, phases=(*resource.phases, *phases_of(DELETE, request)))
        begun(DELETE, resource, request)

    def view(self, request: Request, resource_id: str, version: int | None) -> View[C]:
        """The resource as Describe shows it; an older version on demand, with the status of today."""
        resource = self._existing(request, resource_id)
        phase = resource.phase_at(request.now)
        lags = request.now < resource.created_at + request.settings.describe_lag_seconds
        if phase is None or lags or self._forgotten(phase, request.now, request):
            raise self._unknown(resource_id)
        if version is None:
            return View(resource, phase, resource.revisions[-1])
        for revision in resource.revisions:
            if revision.version == version:
                return View(resource, phase, revision)
        raise not_found(f"{self.kind.noun} {resource_id} has no version {version}.")

    def listed(self, request: Request, sort_keys: Mapping[str, SortKey[C]]) -> tuple[list[View[C]], str | None]:
        """The page of views that a List request asks for, as of `list_lag_seconds` ago."""
        moment = request.now - request.settings.list_lag_seconds
        sort_key = sort_keys[request.body.get("SortBy", "CreationTime")]

        def position(found: tuple[Resource[C], Phase]) -> Position:
            resource, phase = found
            return sort_key(resource, phase), resource.serial

        order = request.body.get("SortOrder", DESCENDING)
        chosen, token = page(self._found(request, moment), position, order, request)
        return [View(resource, phase, resource.revision_at(moment)) for resource, phase in chosen], token

    def get(self, resource_id: str) -> Resource[C] | None:
        return self._by_id.get(resource_id)

    def living(self, arn: str, now: float) -> Resource[C] | None:
        """The resource with this ARN, None when there is none or it is Deleted."""
        resource = self._by_id.get(arn.rpartition("/")[2])
        return resource if resource and resource.arn == arn and resource.status_at(now) != DELETED else None

    def of_cluster(self, cluster_arn: str) -> list[Resource[C]]:
        """All that the cluster has or had, the oldest first."""
        return [each for each in self._by_id.values() if each.cluster_arn == cluster_arn]

    def force(self, resource_id: str, phase: Phase) -> None:
        """From now on the resource has this status, whatever it was doing. Raises KeyError if unknown."""
        self._by_id[resource_id] = forced(self._by_id[resource_id], phase)

    def drop_cluster(self, cluster_arn: str) -> None:
        """Forget everything that belongs to the cluster."""
        self._by_id = {key: each for key, each in self._by_id.items() if each.cluster_arn != cluster_arn}

    def _existing(self, request: Request, resource_id: str) -> Resource[C]:
        resource = self._by_id.get(resource_id)
        if resource is None or resource.region != request.caller.region:
            raise self._unknown(resource_id)
        return resource

    def _unknown(self, resource_id: str) -> ApiError:
        return not_found(f"{self.kind.noun} {resource_id} does not exist.")

    def _forgotten(self, phase: Phase, moment: float, request: Request) -> bool:
        return phase.status == DELETED and moment >= phase.at + request.settings.deleted_linger_seconds

    def _found(self, request: Request, moment: float) -> list[tuple[Resource[C], Phase]]:
        """What the filters of a List request keep of that moment. Both bounds of time are exclusive."""
        body, region = request.body, request.caller.region
        name_part, cluster_arn, status = body.get("NameContains", ""), body.get("ClusterArn"), body.get("Status")
        after, before = body.get("CreatedAfter", -math.inf), body.get("CreatedBefore", math.inf)
        found = []
        for resource in self._by_id.values():
            if (
                resource.region == region
                and cluster_arn in (None, resource.cluster_arn)
                and name_part in resource.name
                and after < resource.created_at < before
            ):
                phase = resource.phase_at(moment)
                if phase is not None and status in (None, phase.status) and not self._forgotten(phase, moment, request):
                    found.append((resource, phase))
        return found

    def _count(self, cluster_arn: str, now: float) -> int:
        return sum(each.cluster_arn == cluster_arn and each.status_at(now) != DELETED for each in self._by_id.values())
