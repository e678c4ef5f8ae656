"""A fresh cluster, a file that asks for the add-on, and its answers: what tests of the add-on before quotas share."""

from governor.apply.addon_change import GateSettings
from governor.records.documents import Status
from tests.support.desk import Desk
from tests.support.world import two_teams

INSTALL = GateSettings(may_change=True, tags={"Application": "HyperPodGovernor"})


def asking(version: str = "default") -> str:
    """The teams, and the add-on in a version."""
    return two_teams(cluster_policy=f"addon: {{version: {version}}}")


def fresh(settings: GateSettings = INSTALL) -> Desk:
    """A cluster without the add-on."""
    desk = Desk()
    desk.gate_settings = settings
    desk.eks.installed = None
    desk.eks.kubernetes.without_kueue()
    return desk


def quotas(desk: Desk) -> int:
    """How many there are."""
    return len(desk.world.api.quotas.list(desk.world.arn))


def waits(desk: Desk, status: Status) -> str:
    """The reason of a file that waits, with nothing done to quotas."""
    assert (status.verdict, quotas(desk)) == ("Waiting", 0)
    assert status.run is not None
    assert status.run.resting
    assert not desk.queue.messages
    return status.reason


def ready_later(desk: Desk) -> Status:
    """The pass of five minutes later, and the work that comes of it."""
    desk.now.advance(minutes=6)
    desk.resync()
    desk.work()
    return desk.status()
