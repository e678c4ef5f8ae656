"""Whether the pods of a pod set may run on the nodes of a flavor: taints, node selector, required node affinity."""

from governor.kueue.objects import PodSet, ResourceFlavor, Selector, Taint, Toleration

_KEEPS_OFF = ("NoSchedule", "NoExecute")


def mismatch(pod_set: PodSet, name: str, flavor: ResourceFlavor | None) -> str:
    """Why not, in Kueue's words; "" if they may. Only labels that the flavor has are compared (Kueue's documentation,
    "ResourceFlavor")."""
    if flavor is None:
        return f"flavor {name} not found"
    tolerations = pod_set.tolerations + flavor.tolerations
    for taint in flavor.taints:
        if taint.effect in _KEEPS_OFF and not any(_tolerates(each, taint) for each in tolerations):
            return f"untolerated taint {{{taint.key} {taint.value} {taint.effect} <nil>}} in flavor {name}"
    labels = flavor.node_labels
    selected = all(labels[key] == value for key, value in pod_set.node_selector.items() if key in labels)
    if not selected or not _has_affinity(pod_set.affinity, flavor):
        return f"flavor {name} doesn't match node affinity"
    return ""


def _has_affinity(terms: tuple[Selector, ...], flavor: ResourceFlavor) -> bool:
    """One term must hold; one of which nothing concerns the flavor leaves it free."""
    if not terms:
        return True
    kept = [Selector(tuple(each for each in term.requirements if each.key in flavor.node_labels)) for term in terms]
    if any(not term.requirements for term in kept):
        return True
    return any(term.selects(flavor.node_labels) for term in kept)


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return bool(toleration.key) and toleration.value == taint.value
