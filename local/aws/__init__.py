"""A local AWS: MiniStack with what it lacks added, the HyperPod control plane beside it, and the real SAM CLI."""
