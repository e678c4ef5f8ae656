"""Writes what the add-on installs into a cluster, changes it at an update, and takes it away again.

Assumed, because nothing that was read says it: what else there is of a Kueue is a conflict, which OVERWRITE settles;
a definition that Kubernetes would refuse is reported as ConfigurationConflict; deleting the add-on takes the
definitions with it unless they are to be preserved, and leaves the namespace.
"""

from local.addon import controller
from local.addon.definitions import NAMES, RESOURCES, Manifest, definition
from local.addon.objects import Objects
from local.addon.releases import Kueue

MARK = "hyperpod-governor.local/applied-by"
"""An annotation in place of the field manager `eks`, by which EKS knows what it has applied itself."""
_DEFINITION = "CustomResourceDefinition"
_NAMESPACED = (
    ("ConfigMap", controller.CONFIGURATION),
    ("Deployment", controller.DEPLOYMENT),
    ("Service", controller.SERVICE),
    ("EndpointSlice", controller.SLICE),
)


class RefusedError(Exception):
    """Nothing was written; `code` is that of a health issue."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def apply(objects: Objects, kueue: Kueue, *, overwrite: bool, healthy: bool) -> None:
    """Install a release of Kueue, or change the one that is there into it.

    `overwrite` takes over what somebody else has made. A controller that is not `healthy` never becomes available.
    Raises RefusedError.
    """
    present = {name: found for name in NAMES if (found := objects.get(_DEFINITION, name)) is not None}
    if not overwrite:
        _refuse_conflicts(objects, present)
    wanted = [(resource, definition(resource, kueue)) for resource in RESOURCES]
    for resource, manifest in wanted:
        _refuse_invalid(present.get(resource.name), manifest)
    objects.put(_marked(controller.namespace()))
    for resource, manifest in wanted:
        objects.put(_marked(manifest))
        stored = _stored(present.get(resource.name))
        newest = kueue.apis_of(resource.plural)[-1]
        objects.put_status(_DEFINITION, resource.name, {"storedVersions": list(dict.fromkeys([*stored, newest]))})
    for manifest in (controller.configuration(kueue), controller.deployment(kueue), controller.service()):
        objects.put(_marked(manifest))
    set_controller(objects, available=healthy, webhook=healthy)


def remove(objects: Objects, *, preserve: bool) -> None:
    """Take the add-on away; `preserve` leaves everything as it is, for somebody else to look after."""
    if preserve:
        return
    for kind, name in reversed(_NAMESPACED):
        objects.delete(kind, name, controller.NAMESPACE)
    for name in NAMES:
        objects.delete(_DEFINITION, name)


def set_controller(objects: Objects, *, available: bool, webhook: bool) -> None:
    """Have the controller available or not, and the endpoint of its webhook ready or not."""
    found = objects.get("Deployment", controller.DEPLOYMENT, controller.NAMESPACE)
    if found is None:
        raise LookupError(f"there is no deployment {controller.DEPLOYMENT} in {controller.NAMESPACE}")
    generation = found["metadata"].get("generation", 1)
    status = controller.deployment_status(available, generation)
    objects.put_status("Deployment", controller.DEPLOYMENT, status, controller.NAMESPACE)
    objects.put(_marked(controller.endpoints(webhook)))


def _refuse_conflicts(objects: Objects, present: dict[str, Manifest]) -> None:
    fields = [f"CustomResourceDefinition.apiextensions.k8s.io {name} - .spec.versions" for name in _foreign(present)]
    found = objects.get("Deployment", controller.DEPLOYMENT, controller.NAMESPACE)
    if found is not None and MARK not in found["metadata"].get("annotations", {}):
        image = f'.spec.template.spec.containers[name="{controller.CONTAINER}"].image'
        fields.append(f"Deployment.apps {controller.DEPLOYMENT} - {image}")
    if fields:
        told = "Conflicts found when trying to apply. Will not continue due to resolve conflicts mode. Conflicts:"
        raise RefusedError("ConfigurationConflict", "\n".join([told, *fields]))


def _foreign(present: dict[str, Manifest]) -> list[str]:
    return [name for name, found in present.items() if MARK not in found["metadata"].get("annotations", {})]


def _refuse_invalid(present: Manifest | None, wanted: Manifest) -> None:
    """Kubernetes refuses a definition without a version that objects may be stored in."""
    names = {version["name"] for version in wanted["spec"]["versions"]}
    for place, stored in enumerate(_stored(present)):
        if stored not in names:
            told = f'status.storedVersions[{place}]: Invalid value: "{stored}": missing from spec.versions'
            kind = "CustomResourceDefinition.apiextensions.k8s.io"
            raise RefusedError("ConfigurationConflict", f'{kind} "{wanted["metadata"]["name"]}" is invalid: {told}')


def _stored(present: Manifest | None) -> list[str]:
    stored: list[str] = (present or {}).get("status", {}).get("storedVersions", [])
    return stored


def _marked(manifest: Manifest) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": {MARK: "eks"}}}
