"""The Kubernetes client cut to its connections: the package imports all of itself, and OAuth, pydantic and aiohttp."""

import shutil
from pathlib import Path

from building.target import BuildError

KEPT = (
    "client/configuration.py",
    "client/exceptions.py",
    "client/rest.py",
    "py.typed",
    "utils/_retry_base.py",
    "utils/keepalive.py",
    "utils/retry.py",
)
"""What governor.aws.kubernetes.transport imports, and what that imports; a test reads a cluster with nothing else."""
_EMPTIED = ("__init__.py", "client/__init__.py", "utils/__init__.py")
_NOTICE = (
    '"""Emptied for HyperPod Governor (Apache-2.0, section 4b): only the connections are shipped, nothing else."""\n'
)
NOT_SHIPPED = (
    "aiohttp",
    "aiohttp-retry",
    "certifi",
    "durationpy",
    "pydantic",
    "requests",
    "requests-oauthlib",
    "websocket-client",
)
"""Requirements of the client that what is kept never imports. TLS is checked against a cluster's own authority."""


def trim(package: Path) -> None:
    """Cut the client's package in place."""
    missing = [name for name in (*KEPT, *_EMPTIED) if not (package / name).is_file()]
    if missing:
        raise BuildError(f"kubernetes has no {', '.join(missing)}: another version? See {Path(__file__).name}")
    kept = {name: (package / name).read_bytes() for name in KEPT}
    shutil.rmtree(package)
    for name, content in (kept | dict.fromkeys(_EMPTIED, _NOTICE.encode())).items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
