"""Whether Kueue is in a cluster: its definitions, its webhooks and its controller, as its installation writes them."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from governor.kueue.admission.events import FAIR_SHARING
from governor.kueue.admission.fair import CONFIGURABLE
from local.kubernetes.errors import GroupResource, JsonObject
from local.kubernetes.store import Store, key_of
from local.kueue.names import (
    CLUSTER_QUEUES,
    CONFIG_MAPS,
    CONFIGURATION,
    DEFINITIONS,
    DEPLOYMENT,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    SERVICE,
    SERVICES,
    SYSTEM_NAMESPACE,
    WORKLOADS,
)
from local.kueue.untrusted import entries, is_true, member

SOURCES = frozenset({CONFIG_MAPS, DEFINITIONS, DEPLOYMENTS, ENDPOINT_SLICES, SERVICES})
"""What tells of it."""
_CONFIGURATION_KEY = "controller_manager_config.yaml"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Presence:
    """`registered`: the API server asks its webhooks. `answers`: they are there. `runs`: the controller does.

    `installed`: there is a controller, whether it runs or not. `strategies` are those of fair sharing, () where the
    configuration has none. A controller does not start with a configuration that it cannot read, so it is none that
    runs here.
    """

    registered: bool = False
    answers: bool = False
    runs: bool = False
    installed: bool = False
    strategies: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        """Whether workloads are admitted: a controller whose webhooks fail cannot write any."""
        return self.runs and (self.answers or not self.registered)


def presence(store: Store) -> Presence:
    """What there is of Kueue now."""
    with store.lock:
        defined = all(store.get(DEFINITIONS, str(each)) is not None for each in (CLUSTER_QUEUES, WORKLOADS))
        service = store.get(SERVICES, key_of(SYSTEM_NAMESPACE, SERVICE))
        deployment = store.get(DEPLOYMENTS, key_of(SYSTEM_NAMESPACE, DEPLOYMENT))
        strategies = _strategies(store.get(CONFIG_MAPS, key_of(SYSTEM_NAMESPACE, CONFIGURATION)))
        return Presence(
            registered=defined and service is not None,
            answers=any(map(_is_ready, store.listed(ENDPOINT_SLICES, SYSTEM_NAMESPACE))),
            runs=defined and strategies is not None and is_true(deployment, "Available"),
            installed=deployment is not None,
            strategies=strategies or (),
        )


def is_ending(store: Store, resource: GroupResource) -> bool:
    """Whether the definition of a resource is being deleted, and all of its objects with it."""
    definition = store.get(DEFINITIONS, str(resource))
    return definition is not None and "deletionTimestamp" in definition["metadata"]


def _is_ready(endpoints: JsonObject) -> bool:
    if member(endpoints["metadata"], "labels").get("kubernetes.io/service-name") != SERVICE:
        return False
    return any(member(each, "conditions").get("ready", True) for each in entries(endpoints, "endpoints"))


def _strategies(config_map: JsonObject | None) -> tuple[str, ...] | None:
    """Those of the configuration; one that is missing is taken for the add-on's."""
    text = member(config_map, "data").get(_CONFIGURATION_KEY)
    return _named_in(text) if isinstance(text, str) else FAIR_SHARING


@lru_cache(maxsize=16)
def _named_in(text: str) -> tuple[str, ...] | None:
    """The strategies that a configuration names, or Kueue's own where it only turns fair sharing on.

    None for a configuration that Kueue refuses.
    """
    try:
        configuration: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        # Dates that do not exist, keys that are lists, and depths without end are no YAMLError.
        _log.warning("the configuration of Kueue's controller cannot be read: it does not start")
        return None
    sharing = configuration.get("fairSharing") if isinstance(configuration, Mapping) else None
    if not isinstance(sharing, Mapping) or sharing.get("enable") is False:
        return ()
    named = sharing.get("preemptionStrategies") or FAIR_SHARING
    found = tuple(named) if isinstance(named, list | tuple) else None
    if found not in CONFIGURABLE:
        _log.warning("Kueue's configuration has preemption strategies that Kueue does not take: it does not start")
        return None
    return found
