"""What was begun with a cluster's add-on, remembered so that nothing is tried for ever."""

from governor.addon.intent import Intent
from governor.records.documents import AddonChange, Origin
from governor.records.names import addon_change_key, cluster_id
from governor.records.store import Documents

MOST_INSTALLATIONS = 3
"""Per upload: what was installed and is gone again was deleted by somebody, who may want it so."""
MOST_CALLS = 10
"""Calls per upload that nobody knows the end of: the service did not answer, or the run was cut short."""


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


def tries_of(last: AddonChange | None, intent: Intent, origin: Origin, version: str) -> int:
    """How often exactly this was tried for this upload."""
    return last.tries if last is not None and _is_about(last, intent, origin, version) else 0


def was_tried(last: AddonChange | None, intent: Intent, origin: Origin, version: str) -> bool:
    """True where this upload had its try: one update, or one installation that EKS refused.

    An installation that was begun may be begun again, some times: then somebody has deleted what became of it.
    """
    if last is None or not _is_about(last, intent, origin, version):
        return False
    if last.refused:
        return True
    if last.begun:
        return intent == "upgrade" or last.tries >= MOST_INSTALLATIONS
    return last.tries >= MOST_CALLS


def _is_about(last: AddonChange, intent: Intent, origin: Origin, version: str) -> bool:
    return (last.action, last.version, _upload(last.origin)) == (intent, version, _upload(origin))


def _upload(origin: Origin) -> tuple[object, ...]:
    """An approval is none, and the same content uploaded again is another one."""
    return origin.key, origin.version, origin.etag, origin.modified
