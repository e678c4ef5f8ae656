"""The limits of the SageMaker API, read from the service model that botocore ships."""

import functools
from types import MappingProxyType

import botocore.loaders
from botocore.model import ServiceModel

from governor.policy import SHAPES, Limits, Shape


@functools.cache
def service_limits() -> Limits:
    """Enums, ranges and lengths by shape name. A newer botocore brings new instance types along."""
    loader = botocore.loaders.create_loader()
    model = ServiceModel(loader.load_service_model("sagemaker", "service-2"), "sagemaker")
    limits = {}
    for name in SHAPES:
        shape = model.shape_for(name)
        limits[name] = Shape(
            minimum=shape.metadata.get("min"),
            maximum=shape.metadata.get("max"),
            values=tuple(shape.metadata.get("enum", ())),
        )
    return MappingProxyType(limits)
