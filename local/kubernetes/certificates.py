"""The certificate authority of the local Kubernetes API, and another that nobody is told of."""

import base64
import ssl

import trustme

NAMES = ("localhost", "127.0.0.1")


class Certificates:
    """`context` is what listeners show normally, `foreign` what a client that checks must not accept."""

    def __init__(self) -> None:
        authority = trustme.CA(organization_name="Local Kubernetes")
        self.authority = base64.b64encode(authority.cert_pem.bytes()).decode()
        """PEM in base64, as EKS' DescribeCluster has it."""
        self.context = _context(authority)
        self.foreign = _context(trustme.CA(organization_name="Somebody Else"))


def _context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    authority.issue_cert(*NAMES).configure_cert(context)
    return context
