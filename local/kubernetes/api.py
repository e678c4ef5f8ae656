"""The API of one cluster without sockets: who asks, whether they may, and the answer."""

from local.kubernetes import discovery, openapi, rbac
from local.kubernetes.answer import Answer, json_answer, refusal_answer, text_answer, unknown_path
from local.kubernetes.bodies import refuse_other_media
from local.kubernetes.errors import ApiError, JsonObject, MethodNotAllowedError, UnknownPathError
from local.kubernetes.objects import Objects
from local.kubernetes.rbac import Act
from local.kubernetes.request import Asked, Request
from local.kubernetes.users import Authenticator, User, authenticated
from local.kubernetes.verbs import Verbs

HEALTH_PATHS = ("/healthz", "/livez", "/readyz")


class Api:
    def __init__(self, objects: Objects, authenticator: Authenticator, version: str, address: str) -> None:
        self._objects = objects
        self._authenticator = authenticator
        self._verbs = Verbs(objects)
        self._version = version
        self._address = address

    def answer(self, request: Request, asked: Asked) -> tuple[Answer, str]:
        """The answer, and the name of the user it went to; empty where nobody knows who that is."""
        name = ""
        try:
            user = self._user(request)
            name = user.name
            self._permit(user, asked.act)
            refuse_other_media(request)
            if asked.place is None:
                return self._document(asked.act), name
            return self._verbs.answer(request, asked.act, asked.place, user), name
        except ApiError as error:
            return refusal_answer(error), name
        except UnknownPathError:
            return unknown_path(), name

    def _user(self, request: Request) -> User:
        """Who asks, or whom they act for. Raises UnauthorizedError or ForbiddenError."""
        user = self._authenticator.user(request.headers.get("authorization"))
        name, group = request.headers.get("impersonate-user"), request.headers.get("impersonate-group")
        if not name:
            return user
        self._permit(user, Act("impersonate", plural="users", name=name))
        groups = tuple(each.strip() for each in (group or "").split(",") if each.strip())
        for each in groups:
            self._permit(user, Act("impersonate", plural="groups", name=each))
        return authenticated(name, groups)

    def _permit(self, user: User, act: Act) -> None:
        verdict = rbac.judged(self._objects.store, user, act)
        if not verdict.allowed:
            raise rbac.refusal(user, act, verdict)

    def _document(self, act: Act) -> Answer:
        """What stands at a path that belongs to no resource. Raises UnknownPathError."""
        path = act.path.rstrip("/")
        document: JsonObject | None = None
        if path in HEALTH_PATHS:
            return text_answer("ok")
        match path.split("/")[1:]:
            case ["version"]:
                document = discovery.version(self._version)
            case ["api"]:
                document = discovery.core_versions(self._address)
            case ["api", version]:
                document = discovery.resource_list(self._objects.served.all(), "", version)
            case ["apis"]:
                document = discovery.groups(self._objects.served.all())
            case ["apis", group] if group:
                document = discovery.group(self._objects.served.all(), group)
            case ["apis", group, version] if group:
                document = discovery.resource_list(self._objects.served.all(), group, version)
            case ["openapi", "v3"]:
                document = openapi.paths(self._objects.served.all())
            case ["openapi", "v3", "api", version]:
                document = openapi.patches(self._objects.served.all(), "", version)
            case ["openapi", "v3", "apis", group, version]:
                document = openapi.patches(self._objects.served.all(), group, version)
        if document is None:
            raise UnknownPathError
        if act.verb != "get":
            raise MethodNotAllowedError("the server does not allow this method on the requested resource", {})
        return json_answer(document)
