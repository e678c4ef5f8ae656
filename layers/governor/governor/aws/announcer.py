"""Verdicts told to EventBridge, to CloudWatch as a metric, and to people by SNS."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from governor.aws.failures import mapped
from governor.errors import TransientError
from governor.records.announcing import (
    ADDON_DETAIL_TYPE,
    DETAIL_TYPE,
    SOURCE,
    AddonNews,
    Announcement,
    message_of,
    subject_of,
)

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_sns import SNSClient

_LONGEST_REASON = 20_000
"""Characters of a reason in an event (256 KB at most) or a message; the status document has all of it."""


class Announcer:
    """``count`` counts a verdict; the clients are made when first used."""

    def __init__(
        self,
        events: Callable[[], "EventBridgeClient"],
        sns: Callable[[], "SNSClient"],
        topic: str,
        bucket: str,
        count: Callable[[str], None],
    ) -> None:
        self._events, self._sns, self._topic, self._bucket, self._count = events, sns, topic, bucket, count

    def announce(self, announcement: Announcement, *, notify: bool) -> None:
        """One event and one metric; ``notify`` sends people a message too. All may come twice, and none gets lost but a
        metric, which leaves with the function's log: one that is killed before its end has counted for nothing."""
        if len(announcement.reason) > _LONGEST_REASON:
            announcement = msgspec.structs.replace(announcement, reason=f"{announcement.reason[:_LONGEST_REASON]}…")
        if notify:
            self.tell(subject_of(announcement), message_of(announcement, self._bucket))
        self._put(DETAIL_TYPE, announcement, announcement.cluster_arn)
        self._count(announcement.verdict)

    def tell(self, subject: str, text: str) -> None:
        """People alone, by a message; the subject is a line of at most 100 ASCII characters."""
        with mapped("Publish to the topic of notifications"):
            self._sns().publish(TopicArn=self._topic, Subject=subject, Message=text)

    def announce_addon(self, news: AddonNews) -> None:
        """One event; it may come twice."""
        summary = news.summary if len(news.summary) <= _LONGEST_REASON else f"{news.summary[:_LONGEST_REASON]}…"
        self._put(ADDON_DETAIL_TYPE, msgspec.structs.replace(news, summary=summary), news.cluster_arn)

    def _put(self, detail_type: str, detail: msgspec.Struct, cluster_arn: str) -> None:
        with mapped("PutEvents"):
            answer = self._events().put_events(
                Entries=[
                    {
                        "Source": SOURCE,
                        "DetailType": detail_type,
                        "Detail": msgspec.json.encode(detail).decode(),
                        "Resources": [cluster_arn] if cluster_arn else [],
                    }
                ]
            )
        for entry in answer["Entries"]:
            if entry.get("ErrorCode"):
                raise TransientError(f"PutEvents: {entry['ErrorCode']}: {entry.get('ErrorMessage', '')}")
