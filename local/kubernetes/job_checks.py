"""What the API server has against a Job: other types, what is no quantity, impossible pods, changes of what runs.

A small part of what a real server looks at.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from governor.kueue.quantities import QuantityError, parsed
from local.kubernetes.admission import Plugin
from local.kubernetes.errors import BadRequestError, Cause, JsonObject
from local.kubernetes.job_defaults import with_job_defaults
from local.kubernetes.job_types import JOB, mismatch, without_nulls
from local.kubernetes.resources import Resource

NO_QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
"""How everything that is written in Go says of an amount that it is none."""
_NEGATIVE = "must be greater than or equal to 0"


class JobChecks(Plugin):
    """A plugin of every cluster."""

    def prepared(self, resource: Resource, new: JsonObject, old: JsonObject | None, /) -> JsonObject:
        """The Job without nulls and, once it is there, with its defaults. Raises BadRequestError for another type."""
        if not _is_job(resource):
            return new
        told = mismatch(new, JOB)
        if told:
            raise _unreadable(told)
        if not all(_is_quantity(amount) for _, amount in _amounts(new)):
            raise _unreadable(NO_QUANTITY)
        job: JsonObject = {name: without_nulls(each) if name == "spec" else each for name, each in new.items()}
        if old is None or "spec" not in job:
            return job
        return {**job, "spec": with_job_defaults({**job, "metadata": old["metadata"]})["spec"]}

    def causes(self, resource: Resource, new: JsonObject, old: JsonObject | None, /) -> list[Cause]:
        if not _is_job(resource):
            return []
        if old is not None and _runs(old) and _spec(old).get("template") != _spec(new).get("template"):
            text = msgspec.json.encode(_spec(new).get("template")).decode()
            return [Cause("spec.template", f"Invalid value: {text}: field is immutable")]
        negative = [(path, str(amount)) for path, amount in _amounts(new) if parsed(str(amount)).nano < 0]
        causes = [Cause(path, f'Invalid value: "{amount}": {_NEGATIVE}') for path, amount in negative]
        for name in ("parallelism", "completions", "backoffLimit"):
            value = _spec(new).get(name) or 0
            if value < 0:
                causes.append(Cause(f"spec.{name}", f"Invalid value: {value}: {_NEGATIVE}"))
        return [*causes, *_nameless(new)]

    def review(self, resource: Resource, new: JsonObject, old: JsonObject | None, /) -> None:
        """Nothing more."""


def _is_job(resource: Resource) -> bool:
    return (resource.group, resource.plural) == ("batch", "jobs")


def _spec(job: Mapping[str, Any]) -> Mapping[str, Any]:
    spec = job.get("spec")
    return spec if isinstance(spec, dict) else {}


def _runs(job: Mapping[str, Any]) -> bool:
    return not _spec(job).get("suspend", False)


def _containers(job: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    """Where containers are, and what they are; None for one that is null."""
    pod = (_spec(job).get("template") or {}).get("spec") or {}
    for kind in ("initContainers", "containers"):
        for place, container in enumerate(pod.get(kind) or ()):
            yield f"spec.template.spec.{kind}[{place}]", container


def _nameless(job: Mapping[str, Any]) -> Iterator[Cause]:
    """What a container that is null lacks."""
    for path, container in _containers(job):
        if container is None:
            for name in ("name", "image"):
                yield Cause(f"{path}.{name}", "Required value", "FieldValueRequired")


def _amounts(job: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Where pods ask for something, and for how much."""
    pod = (_spec(job).get("template") or {}).get("spec") or {}
    for name, amount in (pod.get("overhead") or {}).items():
        yield f"spec.template.spec.overhead[{name}]", amount
    holders = [("spec.template.spec", pod), *_containers(job)]
    for path, holder in holders:
        resources = (holder or {}).get("resources") or {}
        for part in ("limits", "requests"):
            for name, amount in (resources.get(part) or {}).items():
                yield f"{path}.resources.{part}[{name}]", amount


def _is_quantity(amount: Any) -> bool:
    if isinstance(amount, bool) or not isinstance(amount, str | int):
        return False
    try:
        parsed(str(amount))
    except QuantityError:
        return False
    return True


def _unreadable(why: str) -> BadRequestError:
    return BadRequestError(f'Job in version "v1" cannot be handled as a Job: {why}')
