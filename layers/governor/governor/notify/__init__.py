"""Telling people, in words, what the alarms of usage say of a team or a cluster."""

from governor.notify.notifier import Notified, Notifier
from governor.notify.transition import Transition, alarm_kinds, transition_of

__all__ = ["Notified", "Notifier", "Transition", "alarm_kinds", "transition_of"]
