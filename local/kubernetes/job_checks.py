"""What the API server has against a Job: amounts that are no quantities or negative, and impossible numbers of pods.

A small part of what a real server looks at.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from governor.kueue.quantities import QuantityError, parsed
from local.kubernetes.admission import Plugin
from local.kubernetes.errors import BadRequestError, Cause, JsonObject
from local.kubernetes.resources import Resource

NO_QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
"""How everything that is written in Go says of an amount that it is none."""
_NEGATIVE = "must be greater than or equal to 0"


class JobChecks(Plugin):
    """A plugin of every cluster."""

    def prepared(self, resource: Resource, new: JsonObject, _old: JsonObject | None, /) -> JsonObject:
        """The Job itself. Raises BadRequestError for one that is not of the type."""
        if _is_job(resource):
            for _, amount in _amounts(new):
                if not _is_quantity(amount):
                    raise _unreadable(NO_QUANTITY)
            for name in ("parallelism", "completions", "backoffLimit"):
                value = _spec(new).get(name, 0)
                if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
                    raise _unreadable(f"json: cannot unmarshal into Go struct field JobSpec.spec.{name} of type int32")
        return new

    def causes(self, resource: Resource, new: JsonObject, _old: JsonObject | None, /) -> list[Cause]:
        if not _is_job(resource):
            return []
        negative = [(path, str(amount)) for path, amount in _amounts(new) if parsed(str(amount)).nano < 0]
        causes = [Cause(path, f'Invalid value: "{amount}": {_NEGATIVE}') for path, amount in negative]
        for name in ("parallelism", "completions", "backoffLimit"):
            value = _spec(new).get(name) or 0
            if value < 0:
                causes.append(Cause(f"spec.{name}", f"Invalid value: {value}: {_NEGATIVE}"))
        return causes

    def review(self, resource: Resource, new: JsonObject, old: JsonObject | None, /) -> None:
        """Nothing more."""


def _is_job(resource: Resource) -> bool:
    return (resource.group, resource.plural) == ("batch", "jobs")


def _spec(job: Mapping[str, Any]) -> Mapping[str, Any]:
    spec = job.get("spec")
    return spec if isinstance(spec, dict) else {}


def _amounts(job: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Where containers ask for something, and for how much."""
    template = _spec(job).get("template")
    pod = template.get("spec") if isinstance(template, dict) else None
    for kind in ("initContainers", "containers"):
        containers = pod.get(kind) if isinstance(pod, dict) else None
        for place, container in enumerate(containers if isinstance(containers, list) else ()):
            resources = container.get("resources") if isinstance(container, dict) else None
            for part in ("limits", "requests"):
                amounts = resources.get(part) if isinstance(resources, dict) else None
                for name, amount in (amounts if isinstance(amounts, dict) else {}).items():
                    yield f"spec.template.spec.{kind}[{place}].resources.{part}[{name}]", amount


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
