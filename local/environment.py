"""Keeps a person's own AWS account out of demos and tests."""

import os


def forget_aws_accounts() -> None:
    """Take every AWS variable out of this process' environment, and have no AWS file read.

    A profile, or an endpoint for one service alone, would otherwise win over the control plane's endpoint.
    """
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
