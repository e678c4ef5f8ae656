"""Reading one cluster's Kubernetes API: typed objects, pages, and the version that is served."""

import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec

from governor.aws.kubernetes.answers import Asked, decoded, status_of
from governor.aws.kubernetes.resources import Resource
from governor.aws.kubernetes.transport import Answer
from governor.errors import NotInstalledError, PermanentError, TooManyError, UnreachableError
from governor.policy.wording import clipped

T = TypeVar("T")
PAGE = 500
LIST_SECONDS = 30.0
"""For all pages together; a page has its own, shorter limits."""
_NAME = re.compile(r"[-a-z0-9.:]{1,253}")


class Getter(Protocol):
    """Where answers come from."""

    def get(self, path: str) -> Answer:
        """One answer, of any status; UnreachableError."""
        ...


class Version(msgspec.Struct, frozen=True, rename="camel"):
    """Of a server; ``minor`` of an EKS cluster ends in "+"."""

    major: str
    minor: str
    git_version: str = ""


class _ListMetadata(msgspec.Struct, frozen=True):
    continuation: str = msgspec.field(name="continue", default="")


class _Page(msgspec.Struct, Generic[T], frozen=True):
    items: tuple[T, ...] | None
    metadata: _ListMetadata = _ListMetadata()


class _GroupVersion(msgspec.Struct, frozen=True):
    version: str


class _Group(msgspec.Struct, frozen=True):
    versions: tuple[_GroupVersion, ...]


class Kubernetes:
    """One cluster's API. ``lost`` is told when it was not reached, or does not know the caller any more."""

    def __init__(
        self,
        cluster: str,
        transport: Getter,
        lost: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cluster, self._transport, self._lost, self._clock = cluster, transport, lost, clock
        self._served: dict[str, tuple[str, ...]] = {}
        self._decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
        self._lock = threading.Lock()

    def get(self, resource: Resource[T], name: str, namespace: str = "") -> T:
        """One object; NotFoundError where there is none of this name, NotInstalledError where there are none at all."""
        if not _NAME.fullmatch(name):
            raise PermanentError(f"{self.cluster}: {clipped(name)!r} is no name of Kubernetes")
        asked = Asked(self.cluster, "get", resource.plural, resource.group, namespace, name)
        answer = self._ask(f"{self._path(resource, asked)}/{name}", asked)
        return cast(T, decoded(answer, self._decoder(resource.kind), asked))

    def pages(
        self,
        resource: Resource[T],
        namespace: str = "",
        labels: str = "",
        *,
        at_most: int,
        fields: str = "",
        limit: int = PAGE,
    ) -> Iterator[T]:
        """All objects of a namespace, or of all, that the selectors of labels and fields take; read and let go by pages
        of ``limit``.

        TooManyError where there are more than ``at_most``, UnreachableError where that takes longer than
        ``LIST_SECONDS`` in all. A list that changes while it is read is carried on where
        it was: each object comes once at most, as it is at that moment.
        """
        asked = Asked(self.cluster, "list", resource.plural, resource.group, namespace)
        path = self._path(resource, asked)
        selectors = {"labelSelector": labels, "fieldSelector": fields}
        query = {"limit": str(limit), **{name: value for name, value in selectors.items() if value}}
        decoder = self._decoder(_Page[resource.kind])  # type: ignore[name-defined]
        count, expired = 0, False
        ends = self._clock() + LIST_SECONDS
        while True:
            if self._clock() > ends:
                raise UnreachableError(f"{asked}: the list had no end within {LIST_SECONDS:.0f} s")
            answer = self._ask(f"{path}?{urllib.parse.urlencode(query)}", asked)
            if answer.status == 410 and not expired and (continuation := status_of(answer).continuation):
                expired = True
                query["continue"] = continuation
                continue
            page: _Page[T] = decoded(answer, decoder, asked)
            items, continuation = page.items or (), page.metadata.continuation
            count += len(items)
            if count > at_most:
                raise TooManyError(f"{asked}: there are more than {at_most}")
            del answer, page  # let go before the next is read
            yield from items
            del items
            if not continuation:
                return
            query["continue"] = continuation

    def server_version(self) -> Version:
        """The version of the API server."""
        asked = Asked(self.cluster, "get", "version")
        return cast(Version, decoded(self._ask("/version", asked), self._decoder(Version), asked))

    def version(self, resource: Resource[Any]) -> str:
        """The version that is read of a resource: of those that are served, the one that the resource prefers."""
        if len(resource.versions) == 1:
            return resource.versions[0]
        served = self._served.get(resource.group)
        if served is None:
            asked = Asked(self.cluster, "get", "", resource.group)
            answer = self._ask(f"/apis/{resource.group}", asked)
            group = cast(_Group, decoded(answer, self._decoder(_Group), asked))
            served = self._served[resource.group] = tuple(each.version for each in group.versions)
        found = next((version for version in resource.versions if version in served), None)
        if found is None:
            raise NotInstalledError(
                f"{self.cluster}: serves {resource.group} in {', '.join(served) or 'no version'} only; "
                f"{resource.plural} are read in {' or '.join(resource.versions)}"
            )
        return found

    def _path(self, resource: Resource[Any], asked: Asked) -> str:
        if asked.namespace and not (resource.namespaced and _NAME.fullmatch(asked.namespace)):
            raise PermanentError(f"{self.cluster}: {resource.plural} cannot be read in {clipped(asked.namespace)!r}")
        if resource.namespaced and asked.name and not asked.namespace:
            raise PermanentError(f"{asked}: which namespace?")
        version = self.version(resource)
        root = f"/apis/{resource.group}/{version}" if resource.group else f"/api/{version}"
        return (
            f"{root}/namespaces/{asked.namespace}/{resource.plural}" if asked.namespace else f"{root}/{resource.plural}"
        )

    def _ask(self, path: str, asked: Asked) -> Answer:
        try:
            answer = self._transport.get(path)
        except UnreachableError:
            self._lost()
            raise
        if answer.status == 404:
            self._served.pop(asked.group, None)  # definitions come, go, and change their versions
        elif answer.status == 401:
            self._lost()
        return answer

    def _decoder(self, kind: Any) -> msgspec.json.Decoder[Any]:
        with self._lock:
            decoder = self._decoders.get(kind)
            if decoder is None:
                decoder = self._decoders[kind] = msgspec.json.Decoder(kind)
        return decoder
