"""The parts that both functions are made of: settings, clients, documents. One session per process."""

import contextlib
import functools
import os
from datetime import UTC, datetime

from governor.apply import SystemClock
from governor.aws.account import Account
from governor.aws.announcer import Announcer
from governor.aws.objects import Bucket
from governor.aws.queue import ChangeQueue
from governor.aws.session import Aws
from governor.errors import GovernorError
from governor.observability import count_verdict
from governor.plan import Rules
from governor.records.statuses import Statuses
from governor.records.store import Documents
from governor.settings import FunctionSettings, Settings, function_settings_from, settings_from


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

    def warm_up(self) -> None:
        """Make what every invocation needs while the function starts, when it has a whole processor.

        What is wrong is told by the first invocation, which meets it again: a start that fails tells nobody why.
        """
        with contextlib.suppress(GovernorError):
            for made in (self.aws.s3, self.aws.sqs, self.aws.sagemaker, self.aws.events):
                del made

    @functools.cached_property
    def statuses(self) -> Statuses:
        """The status documents, and whom they are told to."""
        announcer = Announcer(
            lambda: self.aws.events,
            lambda: self.aws.sns,
            self.settings.topic_arn,
            self.settings.records_bucket,
            count_verdict,
        )
        return Statuses(self.documents, announcer, now)
