"""A governed cluster whose alarms ring, and the messages that people got."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from governor.aws.service_model import service_limits
from governor.errors import TransientError
from governor.notify import Notified, Notifier, Transition
from governor.policy import BorrowingAlarm
from governor.publish import Declarations
from governor.records.documents import InForce, Origin
from governor.records.names import in_force_key, incident_key, usage_key
from governor.records.store import Documents
from governor.records.usages import Incident, Kind, UsageSeen
from governor.usage import Seen, usage_of
from governor.usage.alarming import Rules, judged
from governor.usage.seen import Doors, Fund, Machine, Queue
from governor.usage.seen import Kind as Flavor
from tests.support.buckets import MemoryBucket, WallClock

ARN = "arn:aws:sagemaker:us-west-2:123456789012:cluster/id1"
BEGAN = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
POLICY = """\
version: 1
cluster: ml
alarms: %s
teams: [{name: vision, quota: [{instanceType: ml.g5.8xlarge, count: 2}]}]
"""
OF_CLUSTERS = ("QuotaAboveCapacity", "CouldNotRead")
GPU = "nvidia.com/gpu"


class Log:
    """What was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, message: str, /, *args: object) -> None:
        self.lines.append(message % args)

    warning = info


class Office:
    """A cluster ``ml`` of which publish_metrics has seen what ``remember`` says."""

    def __init__(self) -> None:
        self.now = WallClock(BEGAN)
        self.bucket = MemoryBucket(self.now)
        self.documents = Documents(self.bucket, pause=lambda _: None)
        self.messages: list[tuple[str, str]] = []
        self.log = Log()
        self.fails_after: int | None = None
        self.govern()

    @property
    def subjects(self) -> list[str]:
        """Of all messages, without what all begin with."""
        return [subject.removeprefix("HyperPod Governor: ") for subject, _ in self.messages]

    def govern(
        self, mute: str = "", identity: str = "id1", state: Any = "InForce", text: str = "", name: str = "ml"
    ) -> None:
        """The policy in force from now on."""
        alarms = f"{{borrowing: {{percent: 50{f', muteUntil: {mute}' if mute else ''}}}}}"
        force = InForce(
            revision=1,
            cluster_arn=ARN,
            cluster_name=name,
            generation=1,
            state=state,
            origin=Origin("policies/ml.yaml"),
            changed=self.now(),
            text=text or POLICY % alarms,
            on_delete="Retain",
        )
        self.bucket.upload(in_force_key(identity), msgspec.json.encode(force))

    def remember(self, used: int = 3, lent: int = 1, nodes: int | None = 3, team: str = "vision", **more: Any) -> None:
        """What publish_metrics sees now. Of 2 guaranteed the team uses 3, of which nlp waits for 1, as far as nlp uses
        less than its own 2; ``nodes`` None were not read."""
        queues = (
            Queue("cq-v", "c", (Fund("g5", GPU, 2, used, used),)),
            Queue("cq-n", "c", (Fund("g5", GPU, 2, 2 - lent, 2 - lent),), pending=4),
        )
        doors = Doors(
            {f"hyperpod-ns-{team}": "", "hyperpod-ns-nlp": ""},
            ((f"hyperpod-ns-{team}", "l", "cq-v", 0), ("hyperpod-ns-nlp", "l", "cq-n", 0)),
        )
        has = {GPU: nodes or 0}
        machines = None if nodes is None else (Machine("n", {}, has, has, usable=True),)
        usage = usage_of(Seen(queues, doors, (), machines, (Flavor("g5", {}),)), "ml", int(self.now().timestamp()))
        since = int((BEGAN - timedelta(minutes=7)).timestamp())
        borrowing = judged(usage.teams, Rules({team: BorrowingAlarm(50)}), since, {})
        seen: dict[str, Any] = {"at": self.now(), "usage": usage, "borrowing": borrowing, **more}
        document = UsageSeen(cluster_arn=ARN, cluster_name="ml", **seen)
        self.bucket.upload(usage_key("id1"), msgspec.json.encode(document))

    def fails(self, trouble: str = "the connection is refused") -> None:
        """publish_metrics cannot read the cluster now, and remembers what it saw before."""
        kept = self.documents.load(usage_key("id1"), UsageSeen)
        assert kept is not None
        seen = kept.document
        since = seen.trouble_since or self.now()
        failed = msgspec.structs.replace(seen, at=self.now(), trouble=trouble, trouble_since=since)
        self.bucket.upload(usage_key("id1"), msgspec.json.encode(failed))

    def forget(self) -> None:
        """There is no record of usage."""
        self.bucket.delete(usage_key("id1"))

    def incident(self, kind: Kind = "OverBorrowing", team: str = "vision") -> Incident:
        """As it is written down."""
        kept = self.documents.load(incident_key("id1", kind, team), Incident)
        assert kept is not None
        return kept.document

    def tell(self, subject: str, text: str) -> None:
        """A message; from some number on it does not go out."""
        if self.fails_after is not None and len(self.messages) >= self.fails_after:
            raise TransientError("the topic is not there")
        self.messages.append((subject, text))

    def at(self, minutes: float) -> None:
        """So many minutes have passed since the beginning."""
        self.now.time = max(self.now.time, BEGAN + timedelta(minutes=minutes))

    def happens(
        self,
        state: Any,
        minutes: float = 0,
        kind: Kind = "OverBorrowing",
        team: str = "vision",
        cluster: str = "ml",
        *,
        muted: bool = False,
    ) -> str:
        """What comes of a change of an alarm at that minute."""
        self.at(minutes)
        about = "" if kind in OF_CLUSTERS else team
        at = BEGAN + timedelta(minutes=minutes)
        return self.handle(Transition(kind, cluster, about, state, at, muted=muted)).outcome

    def handle(self, transition: Transition) -> Notified:
        """By a process of its own."""
        alarms = Declarations(service_limits).of
        return Notifier(self.documents, self, alarms, self.now, self.log, "records", "https://dash").handle(transition)
