"""What an answer of a Kubernetes API asks the caller to do."""

from typing import TypeVar

import msgspec

from governor.addon.versions import ADDON
from governor.aws.kubernetes.quoting import quoted
from governor.aws.kubernetes.resources import KUEUE
from governor.aws.kubernetes.transport import Answer
from governor.errors import (
    ConflictError,
    ForbiddenError,
    GovernorError,
    NotFoundError,
    NotInstalledError,
    PermanentError,
    TransientError,
    UnauthorizedError,
)

T = TypeVar("T")
GROUP = "hyperpod-governor"
"""The group of Kubernetes that our roles are in by their access entries, and that the ClusterRole is bound to."""
_LONGEST_WAIT = 300.0


class Asked(msgspec.Struct, frozen=True):
    """What was asked of which EKS cluster. ``name`` is "" for a list, ``namespace`` for all of them."""

    cluster: str
    verb: str
    resource: str
    group: str = ""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.cluster}: {self.verb} {self.kind}" + (f" {self.name}" if self.name else "") + where

    @property
    def kind(self) -> str:
        """E.g. "nodes", "clusterqueues.kueue.x-k8s.io"; a group alone where its versions are asked for."""
        return ".".join(filter(None, (self.resource, self.group)))


class _Details(msgspec.Struct, frozen=True):
    name: str = ""


class _StatusMetadata(msgspec.Struct, frozen=True):
    continuation: str = msgspec.field(name="continue", default="")


class Status(msgspec.Struct, frozen=True):
    """How a Kubernetes API refuses (meta/v1 Status)."""

    kind: str = ""
    message: str = ""
    reason: str = ""
    details: _Details | None = None
    metadata: _StatusMetadata | None = None

    @property
    def continuation(self) -> str:
        """Where a list whose snapshot has expired can be carried on; "" where it cannot."""
        return self.metadata.continuation if self.metadata else ""


_NO_SUCH_PATH = b"404 page not found"
"""All that a server says of a path that it does not serve; any other 404 is of somebody in between."""


def decoded(answer: Answer, decoder: "msgspec.json.Decoder[T]", asked: Asked) -> T:
    """The body of a good answer; an error of ours for any other."""
    if answer.status != 200:
        raise refusal(answer, asked)
    try:
        return decoder.decode(answer.body)
    except msgspec.ValidationError as error:
        raise PermanentError(
            f"{asked}: the answer is not of the form that this release reads ({error}): {quoted(answer.body)}"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TransientError(f"{asked}: {_not_json(answer)}") from error


def status_of(answer: Answer) -> Status:
    """The Status in an answer; an empty one where it is something else."""
    try:
        status = msgspec.json.decode(answer.body, type=Status)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Status()
    return status if status.kind == "Status" else Status()


def refusal(answer: Answer, asked: Asked) -> GovernorError:
    """The error of ours for an answer that is not 200."""
    status = status_of(answer)
    said = quoted(status.message, 400) if status.message else _not_json(answer)
    told = f"{asked}: {answer.status} {quoted(status.reason)}".rstrip() + f": {said}"
    if answer.status == 401 and status.kind:
        return UnauthorizedError(
            f"{asked}: the cluster does not know this role or user (401). It needs an access entry in EKS: "
            f"'governor connect {asked.cluster}' prints the command, with --role for a role of your own; where it has "
            "one, the credentials have expired, the clock is minutes off, or the entry is younger than a minute"
        )
    if answer.status == 403 and status.kind:
        return _forbidden(asked, said)
    if answer.status == 404 and (status.kind or answer.body.startswith(_NO_SUCH_PATH)):
        return _missing(asked, status)
    if answer.status == 409:
        return ConflictError(told)
    if answer.status == 410:
        return TransientError(f"{told}; the list changed faster than it was read")
    if answer.status == 429 or answer.status >= 500:
        wait = 10.0 if answer.retry_after is None else answer.retry_after
        return TransientError(told, min(wait, _LONGEST_WAIT))
    return PermanentError(told)


def _forbidden(asked: Asked, said: str) -> ForbiddenError:
    return ForbiddenError(
        f"{asked}: not allowed (403): {said}. The role of a function needs the group '{GROUP}' in its access entry, "
        f"and the cluster the ClusterRole '{GROUP}' bound to it: 'governor connect {asked.cluster}' prints both. You "
        f"yourself need no more than a role of Kubernetes that lets you {asked.verb} {asked.kind}",
        asked.verb,
        asked.resource,
        asked.group,
        asked.namespace,
    )


def _missing(asked: Asked, status: Status) -> NotFoundError:
    """A missing object is told by its name; what the server does not serve at all has none."""
    if status.details is not None and status.details.name:
        return NotFoundError(f"{asked}: not found")
    missing = "what defines it is not installed"
    if asked.group == KUEUE:
        missing = (
            f"Kueue is not installed, which comes with the add-on {ADDON}: 'governor addon CLUSTER', with the HyperPod "
            "cluster's name, shows whether it is there and what stands in its way"
        )
    return NotInstalledError(f"{asked}: the cluster does not serve {asked.kind} (404): {missing}")


def _not_json(answer: Answer) -> str:
    begins = answer.body[:512].lstrip().lower()
    if answer.kind == "text/html" or begins.startswith((b"<!doctype html", b"<html")):
        what = "a web page and no answer of Kubernetes, as from a proxy in between"
    elif not answer.body:
        what = "an empty answer"
    else:
        what = "no JSON, or not all of it"
    return f"{what} ({answer.kind or 'no content type'}, {len(answer.body)} bytes): {quoted(answer.body)}"
