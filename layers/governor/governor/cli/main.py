"""The ``governor`` command: its arguments, and what becomes of errors."""

import argparse
import importlib
import io
import json
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import governor
from governor.errors import GovernorError, TransientError

COMMANDS = {
    "validate": ("governor.cli.validate", "check policy files without calling AWS"),
    "plan": ("governor.cli.plan", "show what applying a policy would change"),
    "apply": ("governor.cli.apply", "bring the cluster to what a policy says"),
    "import": ("governor.cli.importing", "write a policy from the live state of a cluster"),
    "status": ("governor.cli.status", "show where the files in the bucket and their clusters stand"),
    "usage": ("governor.cli.usage", "show who uses, borrows, lends and waits in a cluster"),
    "addon": ("governor.cli.addon", "show the add-on of a cluster and what stands in its way"),
    "approve": ("governor.cli.approve", "let a held plan through"),
    "rollback": ("governor.cli.rollback", "put an earlier version of a cluster's file back as the newest"),
    "why": ("governor.cli.why", "say why a job waits, and who preempted it"),
    "connect": ("governor.cli.connect", "let the functions read a cluster's Kubernetes API"),
    "doctor": ("governor.cli.doctor", "check a deployment and say what to mend"),
    "schema": ("governor.cli.schema", "print the JSON Schema of the policy format"),
}

DESCRIPTION = """\
Policy-as-code for the task governance of Amazon SageMaker HyperPod clusters: a YAML file per cluster says
which team is guaranteed, may borrow and lends how much; governor checks it across teams and against the
cluster, shows what it would change, and brings the cluster there."""

EPILOG = """\
a first round:
  governor import ml-research -o ml-research.yaml     start from what the cluster has
  governor validate ml-research.yaml                  mistakes at path:line:column, without AWS
  governor plan ml-research.yaml                      what would change, before and after
  governor apply ml-research.yaml                     change it

with a deployment, where a file in the bucket is all it takes:
  governor status                                     where every file stands
  governor status ml-research                         all about one cluster, and what to do next
  governor approve ml-research FINGERPRINT            let a held plan through
  governor rollback ml-research                       back to what was applied before
  governor addon ml-research                          the add-on, and what stands in its way
  governor usage ml-research                          who uses, borrows, lends and waits
  governor why training-1                             why a job waits, and what one can do
  governor connect ml-research                        let the functions read its Kubernetes API
  governor doctor                                     what is wrong with the deployment

AWS credentials, Region and endpoints are those of the SDK's standard environment
(AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, …)."""

ERROR = 1
INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """Ends with 1 on a wrong call: 2 means "there are changes" (plan)."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(ERROR, f"{self.prog}: error: {message}\n")


def make_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The parser of all commands, with the arguments of the one that is called: the others are not imported."""
    parser = _Parser(
        prog="governor",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"governor {governor.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")
    for name, (module_name, words) in COMMANDS.items():
        if name != command:
            commands.add_parser(name, help=words)
            continue
        module = importlib.import_module(module_name)
        subparser = commands.add_parser(
            name,
            help=words,
            description=module.DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_arguments(subparser)
        subparser.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status. Expected errors end in one line, not in a traceback."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        return _run(make_parser(next((word for word in argv if word in COMMANDS), None)).parse_args(argv))
    except KeyboardInterrupt:  # also while the command is imported, which takes a moment
        return _interrupted()


def _run(arguments: argparse.Namespace) -> int:
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except GovernorError as error:
        return _failed(error, as_json=getattr(arguments, "json", False))
    except BrokenPipeError:
        _discard_output()  # whoever read the output has seen enough
        return ERROR
    except OSError as error:
        _discard_output()
        print(f"governor: error: the output cannot be written: {error.strerror or error}", file=sys.stderr)
        return ERROR
    return status


def _interrupted() -> int:
    print("governor: interrupted; nothing is lost, run it again to carry on", file=sys.stderr)
    return INTERRUPTED


def _failed(error: GovernorError, *, as_json: bool) -> int:
    retry_after = error.retry_after if isinstance(error, TransientError) else None
    hint = f" (may pass; try again in {retry_after:.0f} s)" if retry_after is not None else ""
    print(f"governor: error: {error}{hint}", file=sys.stderr)
    if as_json:
        document = {"verdict": "Failed", "refused": True, "reason": str(error), "retryAfterSeconds": retry_after}
        print(json.dumps(document, indent=2))
    return ERROR


def _discard_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def entry() -> NoReturn:
    """The console script. An interruption at any moment ends in one line."""
    try:
        _prepare_streams()
        status = main()
    except KeyboardInterrupt:
        status = _interrupted()
    sys.exit(status)


def _prepare_streams() -> None:
    if sys.stdout is None or sys.stderr is None:  # started with a closed stream: nobody listens
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for the rest of the process
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks '→' still gets its answer
