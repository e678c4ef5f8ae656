"""What Kueue would do: a pure model of its admission, checked against the real one (``docs/kueue.md``)."""

from governor.kueue.admission.decisions import Decision, Kind
from governor.kueue.admission.figures import cluster_queue_status, cohort_share, local_queue_status
from governor.kueue.admission.model import after
from governor.kueue.admission.state import Outcome, State

__all__ = [
    "Decision",
    "Kind",
    "Outcome",
    "State",
    "after",
    "cluster_queue_status",
    "cohort_share",
    "local_queue_status",
]
