"""HyperPod Governor: policy-as-code for Amazon SageMaker HyperPod task governance."""

__version__ = "0.1.0"
