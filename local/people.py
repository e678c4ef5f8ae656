"""Who hears of things: a queue behind the topic of notifications, as an e-mail address would be."""

import json
from types import TracebackType
from typing import Self

from local.aws.launcher import wait_for
from local.deployment import Deployment


class People:
    """Subscribed while the context lasts; what was heard stays."""

    def __init__(self, deployment: Deployment, name: str = "people") -> None:
        self._sqs, self._sns = deployment.aws.client("sqs"), deployment.aws.client("sns")
        self._topic, self._name = deployment.outputs["NotificationsTopicArn"], name
        self._url = self._subscription = ""
        self.heard: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        self._url = self._sqs.create_queue(QueueName=self._name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self._topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        answer = self._sns.subscribe(TopicArn=self._topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
        self._subscription = answer["SubscriptionArn"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sns.unsubscribe(SubscriptionArn=self._subscription)
        self._sqs.delete_queue(QueueUrl=self._url)

    def listen(self) -> list[tuple[str, str]]:
        """All that was heard so far, subject and text, the oldest first."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                body = json.loads(message["Body"])
                self.heard.append((body.get("Subject", ""), body["Message"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return self.heard

    def wait_for(self, words: str, seconds: float = 30.0) -> tuple[str, str]:
        """The first message with these words in its subject. Raises TimeoutError."""

        def look() -> tuple[str, str] | None:
            return next((each for each in self.listen() if words in each[0]), None)

        try:
            return wait_for(look, seconds, 0.1)
        except TimeoutError as error:
            error.add_note(f"nobody heard {words!r}; heard was {[subject for subject, _ in self.heard]}")
            raise
