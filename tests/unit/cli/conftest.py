"""The commands on buckets in memory: what a person types, while the functions work between two looks."""

import types
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from governor.aws.versions import Content, Version
from governor.cli import deployment
from governor.cli.main import main
from governor.errors import ConflictError, NotFoundError
from governor.records.ports import Listed, Stored
from tests.support.desk import Desk

Governor = Callable[..., int]


class PolicyBucket:
    """The bucket of policies as a person works with it."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._bucket = desk, desk.policies
        self.kinds: list[str] = []
        self.interfere: Callable[[], None] = lambda: None

    def get(self, key: str, most: int | None = None) -> Stored | None:
        return self._bucket.get(key, most)

    def head(self, key: str) -> Stored | None:
        return self._bucket.head(key)

    def listed(self, prefix: str) -> Iterator[Listed]:
        return self._bucket.listed(prefix)

    def versions(self, key: str) -> list[Version]:
        found = [
            Version(each.version, each.modified, each.etag, each.size)
            if each is not None
            else Version(f"marker-{position}", self._desk.now(), deleted=True)
            for position, each in enumerate(self._bucket._versions.get(key, []))
        ]
        return found[::-1]

    def content(self, key: str, version: str, most: int | None = None) -> Content:
        for each in self._bucket.versions(key):
            if each.version == version:
                return Content(each.data[:most], "text/yaml")
        raise NotFoundError(f"version {version} is gone")

    def put_back(self, key: str, version: str, kind: str, newest: str | None) -> str:
        self.interfere()
        there = self._bucket.head(key)
        if (there.etag if there else None) != newest:
            raise ConflictError(f"{key} was changed by somebody else just now")
        self.kinds.append(kind)
        return self._bucket.upload(key, self.content(key, version).data).version

    def replace(self, key: str, data: bytes, kind: str) -> str:
        return self._bucket.upload(key, data).version


class Between:
    """What happens between two looks of a command that waits; seconds pass without anybody waiting."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.seconds = desk, 0.0
        self.happens: Callable[[], object] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.desk.now.advance(seconds=seconds)
        self.happens()

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def policies(desk: Desk) -> PolicyBucket:
    return PolicyBucket(desk)


@pytest.fixture
def between(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Between:
    between = Between(desk)
    clock = types.SimpleNamespace(sleep=between.sleep, monotonic=between.monotonic)
    monkeypatch.setattr("governor.cli.waiting.time", clock)
    return between


@pytest.fixture
def governor(desk: Desk, policies: PolicyBucket, between: Between, monkeypatch: pytest.MonkeyPatch) -> Governor:
    """The command line on the desk's buckets."""
    buckets = deployment.Buckets(cast(Any, policies), desk.documents)
    monkeypatch.setattr("governor.cli.deployment.open_buckets", lambda _arguments: buckets)

    def run(*arguments: str) -> int:
        return main(arguments)

    return run
