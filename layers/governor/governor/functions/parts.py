"""The parts that the functions are made of: settings, clients, documents. One session per process."""

import contextlib
import functools
import os
from datetime import UTC, datetime

from governor.addon.looking import Looker
from governor.apply import SystemClock
from governor.apply.addon_change import GateSettings, Surroundings
from governor.apply.addon_gate import AddonGate
from governor.aws.account import Account
from governor.aws.announcer import Announcer
from governor.aws.eks import EksApi
from governor.aws.kubernetes import Clusters
from governor.aws.kueue import Installations
from governor.aws.objects import Bucket
from governor.aws.queue import ChangeQueue
from governor.aws.session import Aws
from governor.errors import GovernorError
from governor.observability import count_verdict
from governor.plan import Rules
from governor.records.statuses import Statuses
from governor.records.store import Documents
from governor.settings import (
    AddonSettings,
    FunctionSettings,
    NotifySettings,
    Settings,
    UsageSettings,
    addon_settings_from,
    function_settings_from,
    notify_settings_from,
    settings_from,
    usage_settings_from,
)


def now() -> datetime:
    """The time of now, with its zone."""
    return datetime.now(UTC)


class Parts:
    """Each made when it is first used, so that a wrong setting is an error of the invocation and is told."""

    clock = SystemClock()

    @functools.cached_property
    def settings(self) -> FunctionSettings:
        """What the template says."""
        return function_settings_from(os.environ)

    @functools.cached_property
    def rails(self) -> Settings:
        """The guard rails."""
        return settings_from(os.environ)

    @property
    def rules(self) -> Rules:
        """The guard rails of planning."""
        return Rules(self.rails.max_teams_removed, self.rails.overcommit)

    @functools.cached_property
    def aws(self) -> Aws:
        """One session."""
        return Aws()

    @functools.cached_property
    def account(self) -> Account:
        """HyperPod governance."""
        return Account(self.aws)

    @functools.cached_property
    def policies(self) -> Bucket:
        """The bucket that people put policies into."""
        return Bucket(self.aws.s3, self.settings.policies_bucket)

    @functools.cached_property
    def documents(self) -> Documents:
        """The bucket of records."""
        return Documents(Bucket(self.aws.s3, self.settings.records_bucket))

    @functools.cached_property
    def queue(self) -> ChangeQueue:
        """The queue of changes."""
        return ChangeQueue(self.aws.sqs, self.settings.queue_url)

    def warm_up(self, *services: str) -> None:
        """Make the clients that every invocation needs while the function starts, when it has a whole processor.

        What is wrong is told by the first invocation, which meets it again: a start that fails tells nobody why.
        """
        with contextlib.suppress(GovernorError):
            for service in services:
                getattr(self.aws, service)

    @functools.cached_property
    def addon(self) -> AddonSettings:
        """How the add-on is to be treated."""
        return addon_settings_from(os.environ)

    @functools.cached_property
    def usage(self) -> UsageSettings:
        """Where metrics of usage go."""
        return usage_settings_from(os.environ)

    @functools.cached_property
    def notifications(self) -> NotifySettings:
        """Which alarms people are told of."""
        return notify_settings_from(os.environ)

    @functools.cached_property
    def eks(self) -> EksApi:
        """Clusters of EKS and the add-on on them."""
        return EksApi(lambda: self.aws.eks)

    @functools.cached_property
    def kubernetes(self) -> Clusters:
        """Their Kubernetes APIs."""
        return Clusters(self.aws)

    @functools.cached_property
    def looker(self) -> Looker:
        """What can be seen of an add-on."""
        return Looker(self.account.governance.clusters, self.eks, Installations(lambda: self.kubernetes))

    @functools.cached_property
    def gate(self) -> AddonGate:
        """What a change of quotas has to pass."""
        settings = GateSettings(
            may_change=self.addon.may_change,
            resolve_conflicts=self.addon.resolve_conflicts,
            kubernetes_checks=self.addon.kubernetes_checks,
            tags={"Application": "HyperPodGovernor", "Stack": self.addon.stack},
        )
        return AddonGate(Surroundings(self.looker, self.eks, self.documents, settings, self.clock, now))

    @functools.cached_property
    def announcer(self) -> Announcer:
        """Whom news are told to."""
        return Announcer(
            lambda: self.aws.events,
            lambda: self.aws.sns,
            self.settings.topic_arn,
            self.settings.records_bucket,
            count_verdict,
        )

    @functools.cached_property
    def statuses(self) -> Statuses:
        """The status documents, and whom they are told to."""
        return Statuses(self.documents, self.announcer, now)
