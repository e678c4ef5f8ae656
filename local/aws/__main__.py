"""`python -m local.aws`: the local AWS until Ctrl-C, with the environment to export for `aws`, boto3 and `sam`."""

import shlex
import signal
import sys
import threading

from local.aws.launcher import LocalAws
from local.environment import forget_aws_accounts


def main() -> int:
    forget_aws_accounts()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with LocalAws(progress=lambda line: print(line, file=sys.stderr)) as aws:
        for name, value in aws.env().items():
            print(f"export {name}={shlex.quote(value)}")
        print("# The local AWS runs until Ctrl-C.", flush=True)
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
