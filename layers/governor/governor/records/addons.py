"""What was begun with a cluster's add-on, remembered so that nothing is tried for ever."""

from governor.addon.intent import Intent
from governor.records.documents import AddonChange
from governor.records.names import addon_change_key, cluster_id
from governor.records.store import Documents


def last_change(documents: Documents, cluster_arn: str) -> AddonChange | None:
    """The last one; a document that is damaged is as good as none, the next change writes it anew."""
    found: list[AddonChange | None] = []

    def look(there: AddonChange | None) -> AddonChange | None:
        found.append(there)
        return None

    documents.update(addon_change_key(cluster_id(cluster_arn)), AddonChange, look, derived=True)
    return found[-1]


def remember(documents: Documents, cluster_arn: str, change: AddonChange) -> None:
    """Of now."""
    documents.update(addon_change_key(cluster_id(cluster_arn)), AddonChange, lambda _: change, derived=True)


def was_tried(last: AddonChange | None, intent: Intent, generation: int, version: str) -> bool:
    """True where this version of the file had its try: one update, or one installation that EKS refused.

    An installation that was begun may be begun again: then somebody has deleted what became of it.
    """
    if last is None or (last.action, last.generation, last.version) != (intent, generation, version):
        return False
    return intent == "upgrade" or bool(last.refused)
