"""The local HyperPod control plane: SageMaker's cluster and task governance operations on loopback."""
