"""notify_usage: an alarm of usage changes its state, and people are told in words."""

from collections.abc import Mapping
from typing import Any

import msgspec

from governor.aws.service_model import service_limits
from governor.functions.parts import Parts, now
from governor.notify import Notifier, alarm_kinds, transition_of
from governor.observability import logger
from governor.publish import Declarations
from governor.records.documents import InForce
from governor.usage.alarming import Rules

_DECLARATIONS = Declarations(service_limits)


def notify(parts: Parts, event: Mapping[str, Any]) -> dict[str, Any]:
    """Tell people; what came of it, for the log. PermanentError for an event that is none of ours."""
    settings = parts.notifications
    transition = transition_of(event, alarm_kinds(settings.alarms))
    if transition is None:
        return {"notified": {"outcome": "nothing"}}
    done = Notifier(
        parts.documents,
        parts.announcer,
        _rules,
        now,
        parts.settings.records_bucket,
        settings.dashboard,
    ).handle(transition)
    answer = msgspec.to_builtins(done)
    logger.info("%s of %s %s", transition.state, transition.cluster, transition.team, extra={"notified": answer})
    return {"notified": answer}


def _rules(force: InForce) -> Rules:
    return _DECLARATIONS.of(force).rules
