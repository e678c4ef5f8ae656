"""What lies under a key of the account takes permissions on that key too."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from ministack.core import iam_actions, iam_evaluator
from ministack.core.router import extract_access_key_id, extract_region
from ministack.services import kms, s3, sns, sqs

from local.aws.runner.service_calls import Answer, Call, GoOn, around_services
from local.aws.runner.settings import RunnerSettings

TAKES = {
    "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sqs:SendMessage": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sqs:ReceiveMessage": ("kms:Decrypt",),
    "s3:PutObject": ("kms:GenerateDataKey",),
    "s3:GetObject": ("kms:Decrypt",),
    "s3:GetObjectVersion": ("kms:Decrypt",),
}
REFUSALS = {"sns": ("KMSAccessDenied", 400), "sqs": ("KMS.AccessDeniedException", 400), "s3": ("AccessDenied", 403)}


def ask_about_keys(_: RunnerSettings) -> None:
    """MiniStack encrypts nothing and asks nobody, so a role without the key's permissions would pass here.

    An S3 object counts as encrypted with its bucket's default key. Keys that AWS manages take no permission.
    """
    around_services(_with_key, only=("sns", "sqs", "s3"))


async def _with_key(call: Call, go_on: GoOn) -> Answer:
    for action, key in _needs(call):
        denied = iam_evaluator.enforce(
            extract_access_key_id(call.headers, call.query),
            action,
            "kms",
            extract_region(call.headers),
            resource_arn=key,
            service_context={"kms:ViaService": f"{call.service}.{extract_region(call.headers)}.amazonaws.com"},
        )
        if isinstance(denied, iam_evaluator.EvalResult):
            code, status = REFUSALS[call.service]
            text = iam_actions.identity_denial_message(action, denied.principal_arn, key, denied.decision == "Deny")
            _, headers, body = iam_actions.access_denied_response(
                call.service,
                action,
                denied.principal_arn,
                "denied",
                error_code=code,
                message=text,
                headers=call.headers,
            )
            return status, headers, body
    return await go_on()


def _needs(call: Call) -> Iterator[tuple[str, str]]:
    """Each KMS action that the call takes, with the key's ARN."""
    actions = TAKES.get(call.action)
    if actions is None:
        return
    name = _key_of(call)
    key = kms._resolve_key(name) if name and not name.startswith("alias/aws/") else None
    if key is not None:
        yield from ((action, key["Arn"]) for action in actions)


def _key_of(call: Call) -> str | None:
    """The id, ARN or alias of the key that the called resource is encrypted with."""
    if call.service == "s3":
        return _bucket_key(call.resource.removeprefix("arn:aws:s3:::").partition("/")[0])
    holder = sns._topics.get(call.resource) if call.service == "sns" else sqs._queue_by_arn(call.resource)
    return holder["attributes"].get("KmsMasterKeyId") if holder else None


def _bucket_key(bucket: str) -> str | None:
    configuration = s3._bucket_encryption.get(bucket)
    if not configuration:
        return None
    parsed = ET.fromstring(configuration)  # noqa: S314 - what the local S3 has stored itself
    return next((each.text for each in parsed.iter() if each.tag.rpartition("}")[2] == "KMSMasterKeyID"), None)
