"""Ctrl-C at any moment of the command line ends in one line and 130, never in a traceback."""

import importlib
from typing import Any

import pytest

from governor.cli import main as command

TOLD = "governor: interrupted; nothing is lost, run it again to carry on\n"


def interrupt(*_: Any) -> Any:
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["why", "usage", "plan"])
def test_while_a_command_is_imported(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib, "import_module", interrupt)
    assert command.main([name, "something"]) == command.INTERRUPTED
    assert capsys.readouterr() == ("", TOLD)


def test_while_it_works(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("governor.cli.schema.run", interrupt)
    assert command.main(["schema"]) == command.INTERRUPTED
    assert capsys.readouterr() == ("", TOLD)


@pytest.mark.parametrize("step", ["main", "_prepare_streams"])
def test_before_and_after_everything_else(
    step: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, step, interrupt)
    with pytest.raises(SystemExit) as ended:
        command.entry()
    assert ended.value.code == command.INTERRUPTED
    assert capsys.readouterr().err == TOLD
