"""A list in pages, each as things were when the first was read."""

from dataclasses import dataclass

from local.kubernetes.errors import BadRequestError, JsonObject, too_large_version
from local.kubernetes.paging import NOW, Continuation, continuation, expired
from local.kubernetes.resources import Resource
from local.kubernetes.selectors import selector
from local.kubernetes.store import CompactedError, Store, key_of


@dataclass(frozen=True, slots=True)
class ListOptions:
    """What a list is narrowed to and where it goes on; a limit of 0 is none.

    `version` is the resourceVersion that a reader asks for: the list is at least as new.
    """

    namespace: str = ""
    labels: str = ""
    fields: str = ""
    limit: int = 0
    continued: str = ""
    version: str = ""


EVERYTHING = ListOptions()


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list, as it was at `version`; `remaining` is None where it is not known."""

    items: list[JsonObject]
    version: int
    continued: str = ""
    remaining: int | None = None


def page(store: Store, resource: Resource, options: ListOptions) -> Page:
    """The page that is asked for, of objects as they are stored. Raises ApiError."""
    chosen = selector(resource, options.labels, options.fields)
    namespace = options.namespace if resource.namespaced else ""
    with store.lock:
        if options.continued:
            start = continuation(options.continued)
            version = store.version if start.version == NOW else start.version
            found = _after(start, _listed_again(store, resource, namespace, version, start))
        else:
            _refuse_future(options.version, store.version)
            version, found = store.version, store.listed(resource.key, namespace)
    matching = [obj for obj in found if chosen.matches(obj)]
    shown = matching[: options.limit] if options.limit else matching
    left = len(matching) - len(shown)
    if not left:
        return Page(shown, version)
    leading = "/" if resource.namespaced else ""
    token = Continuation(version, f"{leading}{key_of_object(shown[-1])}").token()
    return Page(shown, version, token, left if chosen.is_empty else None)


def key_of_object(obj: JsonObject) -> str:
    return key_of(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def _listed_again(
    store: Store, resource: Resource, namespace: str, version: int, start: Continuation
) -> list[JsonObject]:
    _refuse_future(str(version), store.version)
    try:
        return store.listed(resource.key, namespace, version)
    except CompactedError as error:
        raise expired(start) from error


def _after(start: Continuation, found: list[JsonObject]) -> list[JsonObject]:
    after = start.after.lstrip("/")
    return [obj for obj in found if key_of_object(obj) > after]


def _refuse_future(asked: str, current: int) -> None:
    if not asked:
        return
    if not asked.isdecimal():
        raise BadRequestError(f'invalid resource version "{asked}"')
    if int(asked) > current:
        raise too_large_version(int(asked), current)
