"""HyperPod governance in the account and Region of the SDK's environment; nothing is connected before it is used."""

import functools
from collections.abc import Mapping

from governor.aws.ec2 import InstanceTypes
from governor.aws.sagemaker import Governance
from governor.aws.session import Aws


class Account:
    """What opening, planning and applying a policy need of AWS."""

    def __init__(self, aws: Aws | None = None) -> None:
        self._given = aws

    @functools.cached_property
    def _aws(self) -> Aws:
        return self._given or Aws()

    @property
    def calls(self) -> Mapping[str, int]:
        """The calls so far."""
        return self._aws.calls

    @functools.cached_property
    def governance(self) -> Governance:
        """Clusters, compute quotas and cluster policies."""
        return Governance(self._aws.sagemaker)

    @functools.cached_property
    def instance_types(self) -> InstanceTypes:
        """What EC2 knows of instance types."""
        return InstanceTypes(lambda: self._aws.ec2)

    @property
    def region(self) -> str:
        """The Region that is called."""
        return str(self._aws.sagemaker.meta.region_name)
