"""Where S3 answers otherwise than MiniStack does."""

from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.router import extract_access_key_id, extract_region
from ministack.services import s3

from local.aws.runner.patching import Function, around
from local.aws.runner.service_calls import Answer, Call, GoOn, around_services
from local.aws.runner.settings import RunnerSettings

READS = ("s3:GetObject", "s3:GetObjectVersion")
MARKER_MADE = "s3:ObjectRemoved:DeleteMarkerCreated"


def hide_missing_keys(_: RunnerSettings) -> None:
    """To learn that an object is not there takes s3:ListBucket; without it the answer is 403.

    MiniStack answers 404 to everybody, which hides a permission that the product needs.
    """
    around_services(_hide_missing_key, only=("s3",))


async def _hide_missing_key(call: Call, go_on: GoOn) -> Answer:
    answer = await go_on()
    if answer[0] != 404 or call.action not in READS:
        return answer
    denied = iam_evaluator.enforce(
        extract_access_key_id(call.headers, call.query),
        "s3:ListBucket",
        "s3",
        extract_region(call.headers),
        resource_arn=call.resource.partition("/")[0],
    )
    if not isinstance(denied, iam_evaluator.EvalResult):
        return answer
    refusal: Answer = iam_actions.access_denied_response("s3", "s3:ListBucket", denied.principal_arn, "denied")
    return refusal


def read_for_conditional_writes(_: RunnerSettings) -> None:
    """A write with If-Match takes s3:GetObject too, because it tells what is there."""

    @around(iam_actions, "s3_additional_checks")
    def with_read(checks: Function) -> Function:
        def checked(method: str, path: str, headers: dict[str, str], *rest: Any) -> list[tuple[str, str]]:
            found: list[tuple[str, str]] = checks(method, path, headers, *rest)
            if method == "PUT" and "if-match" in headers:
                found.append(("s3:GetObject", f"arn:aws:s3:::{path.strip('/')}"))
            return found

        return checked


def tag_with_permission(_: RunnerSettings) -> None:
    """A write with tags takes s3:PutObjectTagging too."""

    @around(iam_actions, "s3_additional_checks")
    def with_tags(checks: Function) -> Function:
        def checked(method: str, path: str, headers: dict[str, str], *rest: Any) -> list[tuple[str, str]]:
            found: list[tuple[str, str]] = checks(method, path, headers, *rest)
            if method == "PUT" and "x-amz-tagging" in headers:
                found.append(("s3:PutObjectTagging", f"arn:aws:s3:::{path.strip('/')}"))
            return found

        return checked


def copy_conditionally(_: RunnerSettings) -> None:
    """If-Match and If-None-Match of a copy are about its destination, as with any write; MiniStack ignores them."""

    @around(s3, "_copy_object")
    def checked_first(copy: Function) -> Function:
        def copied(bucket_name: str, key: str, headers: dict[str, str]) -> Any:
            objects = (s3._ensure_bucket(bucket_name) or {}).get("objects", {})
            return s3._check_put_preconditions(headers, objects.get(key)) or copy(bucket_name, key, headers)

        return copied


def tell_of_every_marker(_: RunnerSettings) -> None:
    """Deleting in a versioned bucket makes a delete marker and an event, also where no object is.

    MiniStack makes the marker and is silent.
    """

    @around(s3, "_delete_object")
    def tell(delete: Function) -> Function:
        def deleted(name: str, key: str, headers: dict[str, str], query: dict[str, Any]) -> Any:
            bucket = s3._ensure_bucket(name)
            existed = bucket is not None and key in bucket["objects"]
            status, answered, body = delete(name, key, headers, query)
            if status == 204 and answered.get("x-amz-delete-marker") and not existed and "versionId" not in query:
                s3._fire_s3_event_async(
                    name,
                    key,
                    MARKER_MADE,
                    deletion_type="Delete Marker Created",
                    version_id=answered["x-amz-version-id"],
                )
            return status, answered, body

        return deleted
