"""What the checks of a deployment have in common: what is looked at, what they find, and how they are run."""

import functools
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Literal, TypeVar

import msgspec

from governor.aws.inspection import Function, Inspection, NotAllowedError
from governor.aws.stack import Resource, Stack
from governor.aws.surroundings import Surroundings
from governor.cli.deployment import Buckets
from governor.errors import AccessError, GovernorError, NotFoundError, PermanentError
from governor.records.documents import Document
from governor.records.names import CLUSTERS
from governor.records.store import Documents

PARALLEL = 8

D = TypeVar("D", bound=Document)

Level = Literal["ok", "warning", "problem", "could not look"]


class Finding(msgspec.Struct, frozen=True):
    """What a check has found: about what, in what words, and what to do about it."""

    level: Level
    about: str
    text: str
    remedy: str = ""
    permission: str = ""


class Patient:
    """A deployment under examination. ``stack`` is None where it could not be looked at, ``refused`` says why."""

    def __init__(
        self,
        inspection: Inspection,
        surroundings: Surroundings,
        buckets: Buckets | None,
        stack: Stack | None,
        resources: Callable[[], tuple[Resource, ...]],
        now: datetime,
        refused: GovernorError | None = None,
        names: tuple[str, str] = ("", ""),
    ) -> None:
        self.inspection, self.surroundings = inspection, surroundings
        self.buckets, self.stack, self.now, self.refused = buckets, stack, now, refused
        self.policies_bucket, self.records_bucket = names
        self._resources = resources
        self._functions = dict[str, Function]()
        self._each = defaultdict[str, threading.Lock](threading.Lock)

    def output(self, name: str) -> str:
        """An output of the stack."""
        value = self._stack.outputs.get(name, "")
        if not value:
            raise PermanentError(f"the stack has no output {name}")
        return value

    def parameter(self, name: str) -> str:
        """A parameter of the stack; "" where there is none."""
        return self._stack.parameters.get(name, "")

    @property
    def _stack(self) -> Stack:
        if self.stack is None:
            if isinstance(self.refused, NotAllowedError):
                raise self.refused
            raise PermanentError("the stack is not known")
        return self.stack

    @functools.cached_property
    def resources(self) -> Mapping[str, Resource]:
        """What the stack is made of, by the names in the template."""
        _ = self._stack
        try:
            return {resource.logical: resource for resource in self._resources()}
        except AccessError as error:
            raise NotAllowedError("cloudformation:ListStackResources", str(error)) from error

    def resource(self, logical: str) -> str:
        """The name in the account of a resource of the stack."""
        found = self.resources.get(logical)
        if found is None or not found.physical:
            raise NotFoundError(f"the stack has no {logical}")
        return found.physical

    def of_kind(self, kind: str) -> list[str]:
        """The names in the account of all resources of a type."""
        return sorted(item.physical for item in self.resources.values() if item.kind == kind and item.physical)

    def function(self, output: str) -> Function:
        """A function of the stack; several checks look at each, and AWS is asked once."""
        name = self.output(output)
        with self._each[name]:
            if name not in self._functions:
                self._functions[name] = self.inspection.function(name)
            return self._functions[name]

    @property
    def records(self) -> Documents:
        """What the functions write down."""
        if self.buckets is None:
            raise self.refused or NotFoundError("the bucket of records is not known")
        return self.buckets.records

    @functools.cached_property
    def cluster_keys(self) -> tuple[str, ...]:
        """The keys of all that is written down about clusters."""
        try:
            return tuple(item.key for item in self.records.objects.listed(CLUSTERS))
        except AccessError as error:
            raise NotAllowedError("s3:ListBucket", str(error)) from error

    def load(self, key: str, kind: type[D]) -> D | None:
        """A document out of the records; None where there is none."""
        try:
            kept = self.records.load(key, kind)
        except AccessError as error:
            raise NotAllowedError("s3:GetObject", str(error)) from error
        return kept.document if kept else None


class Check(msgspec.Struct, frozen=True):
    """One check: what it is about, and how it looks."""

    about: str
    look: Callable[[Patient], Iterable[Finding]]


BY_HAND = "set it back as template.yaml has it: a deployment does not mend what was changed outside CloudFormation"


def ok(about: str, text: str) -> Finding:
    """All is well."""
    return Finding("ok", about, text)


def problem(about: str, text: str, remedy: str = BY_HAND) -> Finding:
    """Something does not work, or will not."""
    return Finding("problem", about, text, remedy)


def warning(about: str, text: str, remedy: str = BY_HAND) -> Finding:
    """Something works, and probably not as it should."""
    return Finding("warning", about, text, remedy)


def judged(about: str, *, good: bool, well: str, ill: str, remedy: str = BY_HAND) -> Finding:
    """Ok or a problem."""
    return ok(about, well) if good else problem(about, ill, remedy)


def examine(patient: Patient, checks: Iterable[Check]) -> Iterator[Finding]:
    """Run the checks side by side; their findings in the order of the checks."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        for found in pool.map(functools.partial(_examine, patient), list(checks)):
            yield from found


def _examine(patient: Patient, check: Check) -> list[Finding]:
    found: list[Finding] = []
    try:
        for finding in check.look(patient):
            found.append(finding)  # noqa: PERF402 - what was found before an error counts
    except NotAllowedError as error:
        found.append(Finding("could not look", check.about, f"takes {error.action}", "", error.action))
    except NotFoundError as error:
        found.append(problem(check.about, str(error)))
    except GovernorError as error:
        found.append(Finding("could not look", check.about, str(error)))
    return found
