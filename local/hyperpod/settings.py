"""What can be turned on a running control plane, and the values it starts with."""

from typing import Annotated, Any

import msgspec

Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Delays in seconds; limits and page sizes in items. None means without a limit, or switched off."""

    transition_seconds: Seconds = 0.1
    transition_seconds_by_operation: dict[str, Seconds] = {}
    deleted_linger_seconds: Seconds = 60.0
    list_lag_seconds: Seconds = 0.0
    describe_lag_seconds: Seconds = 0.0
    latency_seconds: Seconds = 0.0
    default_page_size: Annotated[int, msgspec.Meta(ge=1)] = 10
    max_scheduler_configs_per_cluster: int | None = 1
    max_compute_quotas_per_cluster: int | None = None
    list_fill_in: bool = True
    shuffle_lists: int | None = None
    ec2_available: bool = True
    authorize: str | None = None
    kubernetes: str | None = None
    kubeconfig: str | None = None

    @property
    def reaches_kubernetes(self) -> bool:
        """Whether quotas and policies come to something outside of this process."""
        return self.kubernetes is not None or self.kubeconfig is not None

    def transition(self, operation: str) -> Seconds:
        """How long what this operation starts takes to finish."""
        return self.transition_seconds_by_operation.get(operation, self.transition_seconds)

    def changed(self, changes: dict[str, Any]) -> "Settings":
        """These settings with some replaced. Raises msgspec.ValidationError for an unknown name or type."""
        return msgspec.convert({**msgspec.to_builtins(self), **changes}, Settings)
