"""The local AWS: servers that stand in for the services HyperPod Governor talks to."""
