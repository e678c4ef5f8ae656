"""The add-ons that EKS offers, with the versions of each and the Kubernetes versions those are for.

Those of task governance are the versions that AWS's documentation names, newest first. That each is for Kubernetes 1.30
to 1.34 is assumed, and so is what the two other add-ons have: they are here so that there is more than one name.
"""

import dataclasses
import threading
from dataclasses import dataclass
from typing import Any

TASK_GOVERNANCE = "amazon-sagemaker-hyperpod-taskgovernance"
KUBERNETES = ("1.30", "1.31", "1.32", "1.33", "1.34")
DEFAULT_KUBERNETES = "1.34"
NOTHING_CONFIGURABLE = (
    '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false}'
)
ANYTHING_CONFIGURABLE = '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}'


@dataclass(frozen=True, slots=True)
class Offer:
    """A version of an add-on."""

    version: str
    kubernetes: tuple[str, ...] = KUBERNETES


@dataclass(frozen=True, slots=True)
class Product:
    """An add-on: `offers` newest first, `default` installed where nobody names a version."""

    name: str
    kind: str
    namespace: str
    offers: tuple[Offer, ...]
    default: str
    configurable: bool = True

    @property
    def schema(self) -> str:
        return ANYTHING_CONFIGURABLE if self.configurable else NOTHING_CONFIGURABLE

    def knows(self, version: str) -> bool:
        return any(offer.version == version for offer in self.offers)

    def offered(self, kubernetes: str) -> tuple[Offer, ...]:
        """For a Kubernetes version; all where that is empty."""
        return tuple(offer for offer in self.offers if not kubernetes or kubernetes in offer.kubernetes)

    def default_for(self, kubernetes: str) -> str | None:
        """The default version, or the newest one where the default is not for this Kubernetes."""
        offered = [offer.version for offer in self.offered(kubernetes)]
        return self.default if self.default in offered else next(iter(offered), None)

    def shown(self, kubernetes: str) -> dict[str, Any]:
        """As DescribeAddonVersions has it; an add-on that EKS has no role for needs none."""
        return {
            "addonName": self.name,
            "type": self.kind,
            "owner": "aws",
            "publisher": "eks",
            "defaultNamespace": self.namespace,
            "addonVersions": [
                {
                    "addonVersion": offer.version,
                    "architecture": ["amd64", "arm64"],
                    "compatibilities": [
                        {
                            "clusterVersion": each,
                            "platformVersions": ["*"],
                            "defaultVersion": offer.version == self.default_for(each),
                        }
                        for each in offer.kubernetes
                        if kubernetes in ("", each)
                    ],
                    "requiresConfiguration": False,
                    "requiresIamPermissions": False,
                }
                for offer in self.offered(kubernetes)
            ],
        }


def _offers(*versions: str) -> tuple[Offer, ...]:
    return tuple(map(Offer, versions))


PRODUCTS = (
    Product(
        TASK_GOVERNANCE,
        kind="machine-learning",
        namespace="kueue-system",
        offers=_offers(
            "v1.6.1-eksbuild.2",
            "v1.6.1-eksbuild.1",
            "v1.6.0-eksbuild.1",
            "v1.5.0-eksbuild.1",
            "v1.4.0-eksbuild.1",
            "v1.3.2-eksbuild.1",
            "v1.3.1-eksbuild.1",
            "v1.2.2-eksbuild.1",
        ),
        default="v1.6.1-eksbuild.1",
        configurable=False,
    ),
    Product(
        "coredns",
        "networking",
        "kube-system",
        _offers("v1.12.4-eksbuild.1", "v1.11.4-eksbuild.2"),
        "v1.11.4-eksbuild.2",
    ),
    Product(
        "vpc-cni",
        "networking",
        "kube-system",
        _offers("v1.20.4-eksbuild.1", "v1.19.0-eksbuild.1"),
        "v1.20.4-eksbuild.1",
    ),
)


class Catalogue:
    """What is offered now; tests change it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._products = {product.name: product for product in PRODUCTS}

    def find(self, name: str) -> Product | None:
        with self._lock:
            return self._products.get(name)

    def offered(self, name: str, kubernetes: str) -> list[Product]:
        """Add-ons with a version for this Kubernetes; empty stands for every name and every Kubernetes."""
        with self._lock:
            products = list(self._products.values())
        return [each for each in products if name in ("", each.name) and each.offered(kubernetes)]

    def offer(self, name: str, version: str, kubernetes: tuple[str, ...]) -> None:
        """Offer a version as the newest one, or change which Kubernetes versions it is for."""
        with self._lock:
            product = self._products[name]
            new = Offer(version, kubernetes)
            if product.knows(version):
                offers = tuple(new if each.version == version else each for each in product.offers)
            else:
                offers = (new, *product.offers)
            self._products[name] = dataclasses.replace(product, offers=offers)

    def withdraw(self, name: str, version: str) -> None:
        with self._lock:
            product = self._products[name]
            left = tuple(each for each in product.offers if each.version != version)
            self._products[name] = dataclasses.replace(product, offers=left)

    def make_default(self, name: str, version: str) -> None:
        """Raises ValueError when the version is not offered."""
        with self._lock:
            product = self._products[name]
            if not product.knows(version):
                raise ValueError(f"{name} has no version {version}.")
            self._products[name] = dataclasses.replace(product, default=version)


catalogue = Catalogue()
