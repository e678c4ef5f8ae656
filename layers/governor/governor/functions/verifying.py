"""verify_addon: the hourly look at the add-ons of all governed clusters."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from governor.addon.report import Report
from governor.aws.service_model import service_limits
from governor.errors import PermanentError
from governor.functions.parts import Parts, now
from governor.observability import count_addon, count_addons, logger
from governor.policy.wording import counted
from governor.verify import Verifier

MARGIN = 150.0
"""Seconds before the function's end in which no further cluster is begun: a look at one that does not answer."""


class _Measures:
    def addon(self, report: Report) -> None:
        drifted = report.drifted if report.installed else None
        count_addon(report.cluster, installed=report.installed, healthy=report.healthy, drifted=drifted)

    def addons(self, unhealthy: int, unseen: int) -> None:
        count_addons(unhealthy, unseen)


def verify(parts: Parts, event: Mapping[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Look at all; what was seen, for the log. PermanentError for an event that is none of ours."""
    if event.get("verify") is not True:
        raise PermanentError("an event that does not ask for a look at the add-ons")
    done = Verifier(
        parts.documents,
        parts.looker,
        parts.announcer,
        parts.queue,
        _Measures(),
        service_limits,
        logger,
        now,
        lambda: seconds_left() - MARGIN,
        may_change=parts.addon.may_change,
    ).run()
    logger.info("looked at %s", counted(done.clusters, "add-on"), extra={"verified": msgspec.to_builtins(done)})
    return {"verified": msgspec.to_builtins(done)}
