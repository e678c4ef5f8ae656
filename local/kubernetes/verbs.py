"""What each verb on a resource does: from the act of a request to the objects and back."""

from collections.abc import Callable, Mapping

from local.kubernetes import rbac, watching
from local.kubernetes.answer import CREATED, Answer, json_answer
from local.kubernetes.bodies import gone_body, list_body, object_in, patch_in, preconditions_in
from local.kubernetes.errors import (
    BadRequestError,
    JsonObject,
    MethodNotAllowedError,
    method_not_supported,
    not_found,
    unknown_resource,
)
from local.kubernetes.listing import ListOptions
from local.kubernetes.objects import Objects
from local.kubernetes.rbac import Act
from local.kubernetes.request import TRUE, Request
from local.kubernetes.resources import NAMESPACES, STATUS_VERBS, GroupVersionResource, Resource
from local.kubernetes.users import User

WATCH_SECONDS = 1800.0


class Verbs:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._of_objects: Mapping[str, Callable[[Request, Act, GroupVersionResource], Answer]] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }
        self._of_status: Mapping[str, Callable[[Request, Act, GroupVersionResource], Answer]] = {
            "get": self._get,
            "update": self._update_status,
            "patch": self._patch_status,
        }

    def answer(self, request: Request, act: Act, place: GroupVersionResource, user: User) -> Answer:
        """Do what is asked, which the user may. Raises ApiError or UnknownPathError."""
        resource = self._objects.served.resource(place)
        if request.query.get("dryRun"):
            raise BadRequestError("dryRun is not supported by this server")
        if act.subresource:
            _refuse_unknown_part(resource, place, act)
            if act.verb not in STATUS_VERBS:
                raise _unsupported(resource, act.verb)
            return self._of_status[act.verb](request, act, place)
        _refuse_unsupported(resource, act)
        if not resource.stored:
            return self._review(request, user)
        return self._of_objects[act.verb](request, act, place)

    def _get(self, _: Request, act: Act, place: GroupVersionResource) -> Answer:
        return json_answer(self._objects.get(place, act.name, act.namespace))

    def _list(self, request: Request, act: Act, place: GroupVersionResource) -> Answer:
        page = self._objects.list(place, _options(request, act))
        return json_answer(list_body(place, self._objects.served.resource(place), page))

    def _watch(self, request: Request, act: Act, place: GroupVersionResource) -> Answer:
        query = request.query
        seconds = _number(query.get("timeoutSeconds", "")) or WATCH_SECONDS
        bookmark = query.get("sendInitialEvents") in TRUE and query.get("allowWatchBookmarks") in TRUE
        lines = watching.lines(
            self._objects, place, _options(request, act), seconds=seconds, initial_events_end=bookmark
        )
        return Answer(200, lines=lines)

    def _create(self, request: Request, act: Act, place: GroupVersionResource) -> Answer:
        return json_answer(self._objects.create(place, object_in(request), act.namespace), CREATED)

    def _update(self, request: Request, act: Act, place: GroupVersionResource) -> Answer:
        return json_answer(self._objects.update(place, _named_as(act, object_in(request)), act.namespace))

    def _update_status(self, request: Request, act: Act, place: GroupVersionResource) -> Answer:
        return json_answer(self._objects.update_status(place, _named_as(act, object_in(request)), act.namespace))

    def _patch(self, request: Request, act: Act, place: GroupVersionResource) -> Answer:
        return json_answer(
            self._objects.patch(place, act.name, patch_in(request, self._objects.served.resource(place)), act.namespace)
        )

    def _patch_status(self, request: Request, act: Act, place: GroupVersionResource) -> Answer:
        return json_answer(
            self._objects.patch_status(
                place, act.name, patch_in(request, self._objects.served.resource(place)), act.namespace
            )
        )

    def _delete(self, request: Request, act: Act, place: GroupVersionResource) -> Answer:
        resource = self._objects.served.resource(place)
        ended = self._objects.delete(place, act.name, act.namespace, preconditions_in(request))
        returned = ended.gone and resource.key != NAMESPACES.key
        return json_answer(gone_body(resource, ended.object) if returned else ended.object)

    def _delete_collection(self, request: Request, act: Act, place: GroupVersionResource) -> Answer:
        resource = self._objects.served.resource(place)
        return json_answer(list_body(place, resource, self._objects.delete_collection(place, _options(request, act))))

    def _review(self, request: Request, user: User) -> Answer:
        """A SelfSubjectAccessReview: the verdict on what the user would do."""
        review = object_in(request)
        spec = review.get("spec") or {}
        verdict = rbac.judged(self._objects.store, user, _reviewed_act(spec))
        status = {"allowed": verdict.allowed, **({"reason": verdict.reason} if verdict.reason else {})}
        kind, version = "SelfSubjectAccessReview", "authorization.k8s.io/v1"
        body = {"kind": kind, "apiVersion": version, "metadata": {}, "spec": spec, "status": status}
        return json_answer(body, CREATED)


def _reviewed_act(spec: JsonObject) -> Act:
    path, asked = spec.get("nonResourceAttributes"), spec.get("resourceAttributes")
    if path:
        return Act(path.get("verb", ""), path=path.get("path", ""))
    if not asked:
        raise BadRequestError("exactly one of nonResourceAttributes or resourceAttributes must be specified")
    names = {"group": "group", "plural": "resource", "subresource": "subresource", "namespace": "namespace"}
    return Act(
        asked.get("verb", ""), name=asked.get("name", ""), **{ours: asked.get(its, "") for ours, its in names.items()}
    )


def _options(request: Request, act: Act) -> ListOptions:
    query = request.query
    return ListOptions(
        namespace=act.namespace,
        labels=query.get("labelSelector", ""),
        fields=query.get("fieldSelector", ""),
        limit=_number(query.get("limit", "")),
        continued=query.get("continue", ""),
        version=query.get("resourceVersion", ""),
    )


def _number(text: str) -> int:
    if text and not text.isdecimal():
        raise BadRequestError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text or 0)


def _named_as(act: Act, obj: JsonObject) -> JsonObject:
    """The object, which must not have another name than its path; without one it gets that."""
    metadata = obj.get("metadata") or {}
    name = metadata.get("name") or act.name
    if name != act.name:
        raise BadRequestError(f"the name of the object ({name}) does not match the name on the URL ({act.name})")
    return {**obj, "metadata": {**metadata, "name": name}}


def _refuse_unsupported(resource: Resource, act: Act) -> None:
    """Raises ApiError for what a resource, or a path with or without a name, is not for.

    For definitions the real server looks at a path no closer than this: what is created is named by its body.
    """
    nameless = act.verb in ("update", "patch") and not act.name
    if resource.custom and nameless:
        raise BadRequestError("name must be provided")
    if act.verb not in resource.verbs or nameless or (not resource.custom and act.verb == "create" and act.name):
        raise _unsupported(resource, act.verb)


def _refuse_unknown_part(resource: Resource, place: GroupVersionResource, act: Act) -> None:
    """Raises NotFoundError for a part of objects that these do not have."""
    if act.subresource == "status" and place.version in resource.with_status:
        return
    raise not_found(resource.key, act.name) if resource.custom else unknown_resource()


def _unsupported(resource: Resource, verb: str) -> MethodNotAllowedError:
    if resource.custom:
        return method_not_supported(resource.key, verb)
    return MethodNotAllowedError("the server does not allow this method on the requested resource", {})
