"""The two functions' work on buckets in memory and a control plane without sockets."""

import dataclasses
import logging
from collections.abc import Iterable
from typing import Any

import msgspec

from governor.addon.looking import Looker
from governor.apply.addon_change import GateSettings, Surroundings
from governor.apply.addon_gate import AddonGate
from governor.apply.slices import Invocation, Slices, SliceSettings
from governor.aws.service_model import service_limits
from governor.errors import TransientError
from governor.plan import Rules as PlanRules
from governor.quota import Instance
from governor.receive import Hint, Receiver, Resync, Resynced, Rules
from governor.records.documents import InForce, Run, Status
from governor.records.queue import Message
from governor.records.statuses import Statuses
from governor.records.store import Documents
from tests.support.addons import FakeEks
from tests.support.buckets import MemoryBucket, MemoryQueue, Told, WallClock
from tests.support.world import World, two_teams

KEY = "policies/ml-research.yaml"


class _NoInstanceTypes:
    def describe(self, types: Iterable[str]) -> dict[str, Instance]:
        return {}


@dataclasses.dataclass
class _Account:
    world: World

    @property
    def governance(self) -> Any:
        return self.world.api

    @property
    def instance_types(self) -> Any:
        return _NoInstanceTypes()

    region = "us-west-2"


class Desk:
    """Where files are dropped. ``rules`` as the deployment's owner sets them."""

    def __init__(self, world: World | None = None, rules: Rules | None = None, max_receives: int = 5) -> None:
        self.world = world or World()
        self.now = WallClock()
        self.policies = MemoryBucket(self.now)
        self.records = MemoryBucket(self.now)
        self.queue, self.told = MemoryQueue(), Told()
        self.documents = Documents(self.records, lambda _seconds: None)
        self.statuses = Statuses(self.documents, self.told, self.now)
        self.rules = rules or Rules()
        self.account = _Account(self.world)
        self.max_receives = max_receives
        self.eks = FakeEks()
        self.gate_settings = GateSettings()

    @property
    def looker(self) -> Looker:
        """What can be seen of the cluster's add-on."""
        return Looker(self.world.api.clusters, self.eks, self.eks.kubernetes)

    @property
    def gate(self) -> AddonGate:
        """What a change of quotas has to pass."""
        clock, now = self.world.clock, self.now
        return AddonGate(Surroundings(self.looker, self.eks, self.documents, self.gate_settings, clock, now))

    def receiver(self) -> Receiver:
        """One invocation's receiver."""
        return Receiver(
            self.policies,
            self.documents,
            self.statuses,
            self.account,
            self.queue,
            service_limits,
            self.rules,
            self.now,
            "request-receive",
        )

    def drop(self, text: str, key: str = KEY, **metadata: str) -> Status:
        """A person uploads a file, and its event arrives."""
        self.policies.upload(key, text, {name.replace("_", "-"): value for name, value in metadata.items()})
        status = self.receive(key)
        assert status is not None
        return status

    def receive(self, key: str = KEY) -> Status | None:
        """An event about a file arrives."""
        return self.receiver().receive(key, Hint("123456789012", "10.1.2.3"))

    def remove(self, key: str = KEY) -> Status | None:
        """A person deletes a file, and its event arrives."""
        self.policies.delete(key)
        return self.receive(key)

    def resync(self, time_left: float = 100.0) -> Resynced:
        """The tick of every five minutes."""
        return Resync(self.receiver(), logging.getLogger("resync"), lambda: time_left).run()

    def slices(self) -> Slices:
        """One invocation's writer."""
        settings = SliceSettings(PlanRules(), 1, self.max_receives)
        return Slices(
            self.documents,
            self.statuses,
            self.account,
            self.gate,
            self.queue,
            service_limits,
            settings,
            self.world.clock,
            self.now,
        )

    def work(self, seconds: float = 200.0, most: int = 100) -> list[Run | None]:
        """Handle messages until the queue is empty, each received again as often as it asks for."""
        runs: list[Run | None] = []
        while self.queue.messages and len(runs) < most:
            body = self.queue.messages.pop(0)
            self.queue.groups.pop(0)
            runs.append(self.handle(body, seconds))
        return runs

    def handle(self, body: str, seconds: float = 200.0) -> Run | None:
        """One message until it is acknowledged or dead-lettered."""
        message = msgspec.json.decode(body, type=Message)
        for receives in range(1, self.max_receives + 1):
            try:
                return self.slices().handle(message, Invocation(seconds, receives, f"request-{receives}"))
            except TransientError as error:
                self.now.advance(seconds=error.retry_after)
                self.world.clock.sleep(error.retry_after)
        return None

    def applied(self, text: str | None = None) -> Status:
        """Drop a file and work until the queue is empty."""
        self.drop(text or two_teams())
        self.work()
        return self.status()

    def status(self, key: str = KEY) -> Status:
        """Where a file stands."""
        status = self.statuses.load(key)
        assert status is not None
        return status

    def force(self) -> InForce:
        """The policy in force for the cluster."""
        force = self.receiver().in_force(self.world.arn)
        assert force is not None
        return force

    def history(self) -> list[dict[str, Any]]:
        """The entries of the cluster's history, the oldest first."""
        return [self.records.json(key) for key in self.records.keys("history/")]
