"""notify_usage: an alarm of usage changes its state, and people are told in words."""

from collections.abc import Mapping
from typing import Any

import msgspec

from governor.aws.service_model import service_limits
from governor.functions.parts import Parts, now
from governor.notify import Notifier, alarm_kinds, transition_of
from governor.observability import logger
from governor.publish import Declarations

_DECLARATIONS = Declarations(service_limits)


def notify(parts: Parts, event: Mapping[str, Any]) -> dict[str, Any]:
    """Tell people; what came of it, for the log. PermanentError for an event that is none of ours."""
    settings = parts.notifications
    transition = transition_of(event, alarm_kinds(settings.alarms))
    if transition is None:
        logger.warning("an alarm has a state that says nothing of a team", extra={"detail": event["detail"]})
        return {"notified": {"outcome": "nothing"}}
    done = Notifier(
        parts.documents,
        parts.announcer,
        _DECLARATIONS.of,
        now,
        logger,
        parts.settings.records_bucket,
        settings.dashboard,
    ).handle(transition)
    answer = msgspec.to_builtins(done)
    about = (transition.kind, transition.state, transition.cluster, transition.team, done.outcome)
    logger.info("%s is %s of %s %s: %s", *about, extra={"notified": answer})
    return {"notified": answer}
