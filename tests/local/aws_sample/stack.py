"""The deployed sample, and what tests ask of it."""

import json
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.aws.launcher import LocalAws

SAMPLE = Path(__file__).parent
STACK = "sample"
RUNTIME = {"Runtime": f"python{sys.version_info.major}.{sys.version_info.minor}"}


@dataclass(frozen=True, slots=True)
class Stack:
    aws: LocalAws
    outputs: dict[str, str]

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def order(self, group: str = "", **order: Any) -> None:
        """Have the sample's function do something, in a message group of its own unless told."""
        name = uuid.uuid4().hex
        body = json.dumps({**order, "name": name})
        self.client("sqs").send_message(
            QueueUrl=self.outputs["Work"],
            MessageBody=body,
            MessageGroupId=group or name,
            MessageDeduplicationId=name,
        )

    def put(self, key: str, body: bytes = b"x") -> None:
        self.client("s3").put_object(Bucket=self.outputs["Files"], Key=key, Body=body)

    def events(self, key: str) -> list[dict[str, Any]]:
        """The S3 events about a key that the sample's function got."""
        lines = [line for line in self.aws.logs(self.outputs["Receive"]).splitlines() if line.startswith('{"received"')]
        details: list[dict[str, Any]] = [json.loads(line)["received"] for line in lines]
        return [each for each in details if each["object"]["key"] == key]

    def said(self, text: str) -> int:
        return self.aws.logs(self.outputs["Apply"]).count(text)

    def count(self, namespace: str, metric: str, **dimensions: str) -> float:
        now = time.time()
        answer = self.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - 3600,
            EndTime=now + 60,
            Period=86400,
            Statistics=["Sum"],
        )
        return float(sum(each["Sum"] for each in answer["Datapoints"]))

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Takes what is in the queue."""
        answer = self.client("sqs").receive_message(
            QueueUrl=self.outputs[queue], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        taken: list[dict[str, Any]] = answer.get("Messages", [])
        for message in taken:
            self.client("sqs").delete_message(QueueUrl=self.outputs[queue], ReceiptHandle=message["ReceiptHandle"])
        return taken
