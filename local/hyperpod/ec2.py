"""DescribeInstanceTypes of EC2 (query protocol, XML) for instance types that the bundled table lacks."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from local.hyperpod.errors import ApiError

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


@dataclass(frozen=True, slots=True)
class Size:
    """Nominal resources of one instance; memory in GiB."""

    vcpus: int
    memory_gib: int
    gpus: int = 0
    gpu_name: str = ""
    gpu_memory_gib: int = 0


EC2_ONLY: Mapping[str, Size] = MappingProxyType(
    {
        "g4dn.xlarge": Size(vcpus=4, memory_gib=16, gpus=1, gpu_name="T4", gpu_memory_gib=16),
        "g4dn.12xlarge": Size(vcpus=48, memory_gib=192, gpus=4, gpu_name="T4", gpu_memory_gib=16),
        "c6g.4xlarge": Size(vcpus=16, memory_gib=32),
        "m6a.2xlarge": Size(vcpus=8, memory_gib=32),
    }
)


def is_ec2_call(content_type: str) -> bool:
    """Does the request speak EC2's query protocol? SageMaker's requests are JSON."""
    return content_type.startswith("application/x-www-form-urlencoded")


def describe_instance_types(form: str, available: bool) -> str:
    """The XML answer to a DescribeInstanceTypes call. Raises ApiError with EC2's own codes."""
    fields = parse_qs(form)
    action = fields.get("Action", [""])[0]
    if action != "DescribeInstanceTypes":
        raise ApiError("InvalidAction", f"The action {action} is not valid for this web service.")
    if not available:
        raise ApiError("UnauthorizedOperation", "You are not authorized to perform this operation.", 403)
    if any(name.startswith("Filter.") for name in fields):
        raise ApiError("InvalidParameterValue", "The local EC2 has no filters.")
    asked = [values[0] for name, values in fields.items() if name.startswith("InstanceType.")]
    unknown = [name for name in asked if name not in EC2_ONLY]
    if unknown:
        names = ", ".join(unknown)
        raise ApiError("InvalidInstanceType", f"The following supplied instance types do not exist: [{names}]")
    items = "".join(_item(name, EC2_ONLY[name]) for name in asked or EC2_ONLY)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><DescribeInstanceTypesResponse xmlns="{NAMESPACE}">'
        f"<requestId>{uuid.uuid4()}</requestId><instanceTypeSet>{items}</instanceTypeSet>"
        "</DescribeInstanceTypesResponse>"
    )


def error_document(error: ApiError) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error>'
        f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        f"</Error></Errors><RequestID>{uuid.uuid4()}</RequestID></Response>"
    )


def _item(name: str, size: Size) -> str:
    gpus = (
        f"<gpuInfo><gpus><item><name>{size.gpu_name}</name><manufacturer>NVIDIA</manufacturer>"
        f"<count>{size.gpus}</count><memoryInfo><sizeInMiB>{size.gpu_memory_gib * 1024}</sizeInMiB></memoryInfo>"
        f"</item></gpus><totalGpuMemoryInMiB>{size.gpus * size.gpu_memory_gib * 1024}</totalGpuMemoryInMiB>"
        "</gpuInfo>"
        if size.gpus
        else ""
    )
    return (
        f"<item><instanceType>{name}</instanceType><currentGeneration>true</currentGeneration>"
        f"<vCpuInfo><defaultVCpus>{size.vcpus}</defaultVCpus></vCpuInfo>"
        f"<memoryInfo><sizeInMiB>{size.memory_gib * 1024}</sizeInMiB></memoryInfo>{gpus}</item>"
    )
