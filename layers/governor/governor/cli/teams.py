"""Which namespace a team's name means: as ``governor usage`` calls the team, or else by the convention of names."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from governor.errors import ForbiddenError, GovernorError, PermanentError
from governor.kueue.explaining import TEAMS
from governor.plan import Quota
from governor.policy.wording import clipped, listed, printable

MAX_NAMED = 10
"""Teams and namespaces that are named to choose from."""


class Place(msgspec.Struct, frozen=True):
    """A namespace. ``unseen`` says what could not be seen where it is the convention only, "" where it is known."""

    namespace: str
    unseen: str = ""


class Teams:
    """The teams of one cluster. ``governed`` tells its namespaces, each with the id of its compute quota, and
    ``quotas`` the compute quotas; both are asked when a team is looked for, and either may be refused."""

    def __init__(self, governed: Callable[[], Mapping[str, str]], quotas: Callable[[], Iterable[Quota]]) -> None:
        self._governed, self._quotas = governed, quotas

    def place(self, team: str) -> Place:
        """Where the team's jobs are. PermanentError where that is more than one namespace.

        Whoever may not list namespaces, and a name that no team has, get ``hyperpod-ns-`` and the name (facts 1f).
        """
        convention = f"{TEAMS}{team.removeprefix(TEAMS)}"
        guessed = f"{clipped(convention)} is taken for that of team '{clipped(team)}', as is the convention"
        try:
            governed = self._governed()
        except ForbiddenError as error:
            return Place(convention, f"namespaces of teams: {guessed}: {error}")
        names, trouble = self._names()
        known = _known(team, governed, names)
        if known:
            return Place(known)
        teams = sorted({_called(*each, names) for each in governed.items()})
        there = f"the teams are {listed(_some(teams))}" if teams else "no namespace is labelled as a team's"
        unread = f"; their names could not be read: {trouble}" if trouble else ""
        return Place(convention, f"a namespace labelled so: {guessed}; {there}{unread}")

    def known(self, team: str) -> str:
        """The namespace of the team, "" where there is none of this name or that may not be seen."""
        try:
            return _known(team, self._governed(), self._names()[0])
        except ForbiddenError:
            return ""

    def _names(self) -> tuple[Mapping[str, str], str]:
        """Teams by the ids of their quotas; and why there are none."""
        try:
            return {quota.id: quota.team for quota in self._quotas()}, ""
        except GovernorError as error:
            return {}, str(error)


def _known(team: str, governed: Mapping[str, str], names: Mapping[str, str]) -> str:
    """By the name that is shown, by the namespace itself, or by the one that the convention makes of the name."""
    found = sorted(namespace for namespace, quota in governed.items() if _called(namespace, quota, names) == team)
    if len(found) > 1:
        spaces = listed(printable(each) for each in _some(found))
        raise PermanentError(f"team '{clipped(team)}' has {len(found)} namespaces; say which: --namespace {spaces}")
    if found:
        return found[0]
    return next((each for each in (team, f"{TEAMS}{team}") if each in governed), "")


def _called(namespace: str, quota: str, names: Mapping[str, str]) -> str:
    return names.get(quota) or namespace.removeprefix(TEAMS) or namespace


def _some(names: list[str]) -> list[str]:
    return [*names[:MAX_NAMED], f"{len(names) - MAX_NAMED} more"] if len(names) > MAX_NAMED else names
