"""The FIFO queue of changes."""

from typing import TYPE_CHECKING

from governor.aws.failures import mapped

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


class ChangeQueue:
    """One queue."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client, self._url = client, url

    def send(self, group: str, deduplication: str, body: str) -> None:
        """Send a message."""
        with mapped(f"SendMessage to {self._url.rpartition('/')[2]}"):
            self._client.send_message(
                QueueUrl=self._url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=deduplication
            )

    def show_again(self, receipt: str, seconds: float) -> None:
        """The message is received again after so many seconds (0 to 43,200)."""
        with mapped(f"ChangeMessageVisibility in {self._url.rpartition('/')[2]}"):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=max(0, min(round(seconds), 43_200))
            )
