"""A bucket whose versions count: all versions of one object, one of them put back, a person's object written."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from governor.aws.failures import mapped
from governor.aws.objects import Bucket
from governor.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import GetObjectOutputTypeDef

_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NotFound", "MethodNotAllowed"})


class Version(msgspec.Struct, frozen=True):
    """One version of an object; ``deleted`` is a delete marker, which has no content."""

    version: str
    modified: datetime
    etag: str = ""
    size: int = 0
    deleted: bool = False


class Content(msgspec.Struct, frozen=True):
    """What a version holds."""

    data: bytes
    kind: str = ""


class VersionedBucket(Bucket):
    """A bucket as a person works with it."""

    def versions(self, key: str) -> list[Version]:
        """All versions and delete markers of exactly this object, the newest first."""
        found: list[tuple[bool, Version]] = []
        with mapped(f"ListObjectVersions s3://{self.name}/{key}"):
            pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=key)
            for page in pages:
                for item in page.get("Versions", ()):
                    if item["Key"] == key:
                        version = Version(item["VersionId"], item["LastModified"], item["ETag"], item["Size"])
                        found.append((item["IsLatest"], version))
                for marker in page.get("DeleteMarkers", ()):
                    if marker["Key"] == key:
                        gone = Version(marker["VersionId"], marker["LastModified"], deleted=True)
                        found.append((marker["IsLatest"], gone))
                if any(item["Key"] > key for item in page.get("Versions", ())):
                    break  # what follows has the key as a prefix only
        # S3 keeps seconds only: within one, its own order (the newest first) decides.
        return [version for _, version in sorted(found, key=lambda each: (each[0], each[1].modified), reverse=True)]

    def content(self, key: str, version: str, most: int | None = None) -> Content:
        """What a version holds, no more than ``most`` bytes of it. NotFoundError when it is gone."""
        with mapped(f"GetObjectVersion {version} of s3://{self.name}/{key}"):
            try:
                answer: GetObjectOutputTypeDef = self._client.get_object(Bucket=self.name, Key=key, VersionId=version)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code", "") in _GONE:
                    raise NotFoundError(f"version {version} of s3://{self.name}/{key} is gone") from error
                raise
            with answer["Body"] as body:
                return Content(body.read(most), answer.get("ContentType", ""))

    def put_back(self, key: str, version: str, kind: str, newest: str | None) -> str:
        """Make a version's content the newest version, without its metadata; the new version's id.

        ``newest`` is the ETag of the version that is the newest, None when the object is deleted: ConflictError
        when it is another one by now.
        """
        condition: Any = {"IfMatch": newest} if newest is not None else {"IfNoneMatch": "*"}
        with mapped(f"CopyObject s3://{self.name}/{key}"):
            try:
                answer = self._client.copy_object(
                    Bucket=self.name,
                    Key=key,
                    CopySource={"Bucket": self.name, "Key": key, "VersionId": version},
                    MetadataDirective="REPLACE",
                    ContentType=kind or "application/octet-stream",
                    **condition,
                )
            except ClientError as error:
                status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
                if status in (409, 412):
                    raise ConflictError(f"s3://{self.name}/{key} was changed by somebody else just now") from error
                raise
        return answer.get("VersionId", "")

    def replace(self, key: str, data: bytes, kind: str) -> str:
        """Write without a condition; the new version's id."""
        with mapped(f"PutObject s3://{self.name}/{key}"):
            answer = self._client.put_object(Bucket=self.name, Key=key, Body=data, ContentType=kind)
        return answer.get("VersionId", "")
