"""What the launcher tells the runner, as JSON in a file. Only the standard library: both sides import this."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

MINISTACK_VERSION = "1.5.33"
ACCOUNT = "123456789012"
REGION = "us-west-2"
ADMIN_KEY = "admin"
ADMIN_SECRET = "local"  # noqa: S105 - the secret of an account that exists on loopback only


@dataclass(frozen=True, slots=True)
class RunnerSettings:
    """`seconds_per_minute` is how long a minute of alarm periods and retry delays really takes.

    `concurrency` is how many events a function handles at once, of those that wait for it. `kubernetes` is the URL of
    the local Kubernetes API's admin endpoint; without one, EKS clusters have nothing behind them. `plane` is the URL of
    the HyperPod control plane, which is told of an add-on that has come. Clusters and add-ons of EKS take
    `cluster_seconds` and `addon_seconds` to be made or changed.
    """

    temporary: str
    worker_python: str
    worker_environment: dict[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    seconds_per_minute: float = 60.0
    concurrency: int = 8
    kubernetes: str = ""
    plane: str = ""
    cluster_seconds: float = 0.0
    addon_seconds: float = 0.0

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "RunnerSettings":
        return cls(**json.loads(path.read_text()))
