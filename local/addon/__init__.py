"""What the task governance add-on puts into a Kubernetes cluster, as plain data, and who writes it there.

Used by the local EKS, in MiniStack's own environment: the standard library and urllib3 alone.
"""
