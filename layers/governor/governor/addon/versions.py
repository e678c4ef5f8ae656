"""Versions of the task governance add-on: their order, the Kueue inside, and which update is safe."""

import re

import msgspec

ADDON = "amazon-sagemaker-hyperpod-taskgovernance"
OLDEST_KUBERNETES = (1, 30)
"""What the add-on needs (user guide, "Setup for task governance"; facts 1a)."""
_FORM = re.compile(r"v(\d{1,4})\.(\d{1,4})\.(\d{1,4})-eksbuild\.(\d{1,4})")
_KUEUE = {
    (1, 6, 1): "0.19.2",
    (1, 6, 0): "0.19.2",
    (1, 5, 0): "0.18.0",
    (1, 4, 0): "0.14.0",
    (1, 3, 2): "0.12.0",
    (1, 3, 1): "0.12.0",
    (1, 1, 3): "0.12.0",
    (1, 0, 0): "0.8.1",
}
"""The table of the user guide's set-up page (facts 1a); a version that is not in it is not guessed."""
_CRASHES = {((1, 6, 0), (1, 33))}
"""Add-on and Kubernetes versions whose controller restarts for ever (user guide, "Upgrade"; facts 1a)."""
_ONE_STORAGE = (1, 4)
"""Up to v1.3 some of Kueue's objects are stored as v1alpha1; v1.4 knows v1beta1 only, v1.5 adds v1beta2 (facts 1f)."""
UPGRADE_GUIDE = (
    "https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-hyperpod-eks-operate-console-ui-governance-upgrade.html"
)


class Version(msgspec.Struct, frozen=True, order=True):
    """``vX.Y.Z-eksbuild.N``, in order."""

    major: int
    minor: int
    patch: int
    build: int

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}.{self.patch}-eksbuild.{self.build}"

    @property
    def release(self) -> tuple[int, int, int]:
        """Without the build."""
        return self.major, self.minor, self.patch

    @property
    def line(self) -> tuple[int, int]:
        """Major and minor."""
        return self.major, self.minor


def version_of(text: str) -> Version | None:
    """None for what is not of this form."""
    found = _FORM.fullmatch(text)
    return Version(*map(int, found.groups())) if found else None


def kueue_of(text: str) -> str:
    """The version of Kueue in a version of the add-on; "" where the documentation does not say."""
    version = version_of(text)
    return _KUEUE.get(version.release, "") if version else ""


def kubernetes_of(text: str) -> tuple[int, int] | None:
    """Major and minor of a Kubernetes version such as 1.33; None for anything else."""
    found = re.fullmatch(r"(\d{1,3})\.(\d{1,3})", text)
    return (int(found[1]), int(found[2])) if found else None


def crashes(version: str, kubernetes: str) -> bool:
    """True where the controller is known to restart for ever."""
    addon, minor = version_of(version), kubernetes_of(kubernetes)
    return addon is not None and (addon.release, minor) in _CRASHES


def served_by(version: Version) -> frozenset[str] | None:
    """The API versions that Kueue's CRDs have in a version of the add-on; None for those that differ by CRD."""
    if version.line < _ONE_STORAGE:
        return None
    return frozenset({"v1beta1"}) if version.line == _ONE_STORAGE else frozenset({"v1beta1", "v1beta2"})


def is_documented_step(old: Version, new: Version) -> bool:
    """True for an update that is within one line, or v1.5 → v1.6, which AWS documents as a plain one."""
    return old.line == new.line or (old.line, new.line) == ((1, 5), (1, 6))
