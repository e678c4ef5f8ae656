"""The real SAM CLI against the local AWS: build and deploy, as a person would run them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.aws.process import LocalAwsError

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sam:
    """`home` takes what SAM would write into a person's home directory; `progress` gets its output line by line."""

    command: Path
    home: Path
    environment: Mapping[str, str]
    progress: Progress | None = None

    def build(self, directory: Path, into: Path, parameters: Mapping[str, str], options: Iterable[str] = ()) -> Path:
        """The directory `into`, with the built template. The parameters that are known here say the runtime."""
        arguments = ["--build-dir", str(into), *_overrides(parameters), *options]
        self._run("build", *arguments, directory=directory)
        return into

    def deploy(self, built: Path, stack: str, parameters: Mapping[str, str], options: Iterable[str] = ()) -> None:
        self._run(
            "deploy",
            "--template-file",
            str(built / "template.yaml"),
            "--stack-name",
            stack,
            "--resolve-s3",
            "--capabilities",
            "CAPABILITY_IAM",
            "CAPABILITY_NAMED_IAM",
            "CAPABILITY_AUTO_EXPAND",
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
            *_overrides(parameters),
            *options,
            directory=built,
        )

    def validate(self, directory: Path) -> str:
        """What `sam validate --lint` says of a directory's template. Raises LocalAwsError when it is not content."""
        return self._run("validate", "--lint", directory=directory)

    def delete(self, stack: str) -> None:
        self._run("delete", "--stack-name", stack, "--no-prompts", directory=self.home)

    def _run(self, *arguments: str, directory: Path) -> str:
        said: list[str] = []
        with subprocess.Popen(
            [self.command, *arguments],
            cwd=directory,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                if self.progress is not None:
                    self.progress(line.rstrip("\n"))
        if process.returncode:
            raise LocalAwsError(f"sam {arguments[0]} failed:\n{''.join(said)}")
        return "".join(said)

    def _environment(self) -> dict[str, str]:
        """SAM looks for an interpreter of the function's runtime on the path: the one that runs this comes first.

        A person's settings for pip reach it, which installs what the layers hold, and so do the build's own variables.
        """
        here = Path(sys.executable).resolve().parent
        return {
            "PATH": os.pathsep.join([str(here), os.environ.get("PATH", os.defpath)]),
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": os.environ.get("XDG_CONFIG_HOME", str(Path.home() / ".config")),
            "NO_PROXY": "127.0.0.1",
            "TMPDIR": str(self.home),
            "LANG": "C.UTF-8",
            "SAM_CLI_POLL_DELAY": "0.5",
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_VERSION_CHECK": "0",
            **{
                name: value
                for name, value in os.environ.items()
                if name.startswith(("PIP_", "SSL_", "REQUESTS_", "HTTPS_", "GOVERNOR_"))
            },
            **self.environment,
        }


def _overrides(parameters: Mapping[str, str]) -> list[str]:
    pairs = [f"ParameterKey={name},ParameterValue={value}" for name, value in parameters.items()]
    return ["--parameter-overrides", *pairs] if pairs else []
