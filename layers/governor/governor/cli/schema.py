"""governor schema: the policy format as JSON Schema, for editors."""

import argparse
import json

from governor.aws.service_model import service_limits
from governor.policy.schema import policy_schema

DESCRIPTION = """\
Prints the policy format as JSON Schema (draft 2020-12) with descriptions. An editor that knows it completes
keys and marks mistakes while you type; for the YAML extension of VS Code, put this line on top of the file:

  # yaml-language-server: $schema=./governor.schema.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command has no arguments of its own."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Print the schema."""
    del arguments
    print(json.dumps(policy_schema(service_limits()), indent=2))
    return 0
