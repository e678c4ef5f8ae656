"""Why a workload waits, who preempted it and what one can do, in words, from Kueue's conditions and events. Pure."""

from governor.kueue.explaining.answer import Explanation, Job, State, spoken
from governor.kueue.explaining.explanation import explain
from governor.kueue.explaining.finding import Wanted
from governor.kueue.explaining.seen import TEAMS, Brief, Check, Event, Phase, Queues, Subject, brief, team_of

__all__ = [
    "TEAMS",
    "Brief",
    "Check",
    "Event",
    "Explanation",
    "Job",
    "Phase",
    "Queues",
    "State",
    "Subject",
    "Wanted",
    "brief",
    "explain",
    "spoken",
    "team_of",
]
