"""S3 buckets with conditional writes: what is in the way (412), what is gone (404), and who is just writing (409)."""

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from governor.aws.failures import mapped
from governor.errors import ConflictError, TransientError
from governor.records.ports import Listed, Stored

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_MISSING = frozenset({"NoSuchKey", "404", "NotFound", "NoSuchVersion"})
_BUSY_TRIES = 3
_BUSY_SECONDS = 0.2
ONLY_NEWEST = "Keep=newest"
"""The tag by which the bucket lets earlier versions go: a rule of the template."""


class Bucket:
    """One bucket, of this account only."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client, self.name = client, name

    def get(self, key: str, most: int | None = None) -> Stored | None:
        """The newest version, no more than ``most`` bytes of it; None where there is none or it was deleted."""
        with mapped(f"GetObject s3://{self.name}/{key}"):
            try:
                answer = self._client.get_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if _code(error) in _MISSING:
                    return None
                raise
            with answer["Body"] as body:
                data = body.read(most)
        return _stored(answer, data)

    def head(self, key: str) -> Stored | None:
        """The same without the data."""
        with mapped(f"HeadObject s3://{self.name}/{key}"):
            try:
                answer = self._client.head_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if _code(error) in _MISSING:
                    return None
                raise
        return _stored(answer, b"")

    def put(
        self,
        key: str,
        data: bytes,
        kind: str,
        expected: str | None,
        metadata: Mapping[str, str] | None = None,
        *,
        only_newest: bool = False,
    ) -> str:
        """Write and return the ETag, if what is there has the ETag ``expected``, or nothing is there (None)."""
        condition: Any = {"IfMatch": expected} if expected is not None else {"IfNoneMatch": "*"}
        if only_newest:
            condition["Tagging"] = ONLY_NEWEST
        for attempt in range(_BUSY_TRIES):
            with mapped(f"PutObject s3://{self.name}/{key}"):
                try:
                    answer = self._client.put_object(
                        Bucket=self.name,
                        Key=key,
                        Body=data,
                        ContentType=kind,
                        Metadata=dict(metadata or {}),
                        **condition,
                    )
                except ClientError as error:
                    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
                    if status == 412:
                        raise ConflictError(f"s3://{self.name}/{key} is not as it was read") from error
                    if status == 404 and expected is not None and _code(error) in _MISSING:
                        raise ConflictError(f"s3://{self.name}/{key} is gone") from error
                    if status != 409:
                        raise
                else:
                    return answer["ETag"]
            time.sleep(_BUSY_SECONDS * 2**attempt)
        raise TransientError(f"PutObject s3://{self.name}/{key}: other writers are at work all the time")

    def listed(self, prefix: str) -> Iterator[Listed]:
        """All objects under a prefix, page by page."""
        with mapped(f"ListObjectsV2 s3://{self.name}/{prefix}"):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
                for item in page.get("Contents", ()):
                    yield Listed(item["Key"], item["ETag"], item["LastModified"], item["Size"])


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _stored(answer: Any, data: bytes) -> Stored:
    return Stored(
        data=data,
        etag=answer["ETag"],
        modified=answer["LastModified"],
        version=answer.get("VersionId", ""),
        metadata=answer.get("Metadata", {}),
        size=answer["ContentLength"],
    )
