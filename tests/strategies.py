"""Hypothesis strategies for policies: model objects that a policy file could hold, and nothing else.

Everything drawn here is valid: ``parse_policy`` accepts what ``policy_text`` writes of it without an error
(warnings are likely). Limits come from the service's model, as everywhere. Pure: no clock, no file, no network.

``policies(names=["a", "b"])`` and ``teams(names=…)`` draw the teams' names from a fixed set, for tests that
want several policies about the same teams; ``types`` does the same for instance types.
"""

from collections.abc import Sequence

import msgspec
from hypothesis import strategies as st

from governor.aws.service_model import service_limits
from governor.policy import Alarms, BorrowingAlarm, ClusterPolicy, OnDelete, Policy, PriorityClass, Sharing, Team
from governor.policy.names import MAX_PRIORITY_CLASS_NAME, MAX_TEAM_NAME, is_description
from governor.quota import Partition, QuotaEntry, bundled_instances

INSTANCE_TYPES = ("ml.g5.8xlarge", "ml.g5.12xlarge", "ml.p5.48xlarge", "ml.trn1.32xlarge", "ml.m5.4xlarge")
"""Few, so that teams meet on one type: three with GPUs, one with Neuron devices, one with neither."""

_LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"
_AWKWARD_NAMES = ("1e3", "0x1f", "0o17", "123", "null", "true", "no", "on", "y", "a--b", "1-2", "007")
"""Names that read as another kind of value where nobody quotes them."""


def kubernetes_names(longest: int = MAX_TEAM_NAME) -> st.SearchStrategy[str]:
    """Names of teams and priority classes: lower-case letters, digits and inner hyphens."""
    inner = st.text(_LOWER + "-", max_size=longest - 2)
    plain = st.builds(lambda first, rest, last: first + rest + last, st.sampled_from(_LOWER), inner, _last(_LOWER))
    return st.one_of(st.sampled_from(_AWKWARD_NAMES), plain)


def entity_names() -> st.SearchStrategy[str]:
    """Names of clusters, quotas and cluster policies: letters, digits and inner hyphens, at most 63."""
    characters = _LOWER + _LOWER[:26].upper()
    inner = st.text(characters + "-", max_size=61)
    plain = st.builds(
        lambda first, rest, last: first + rest + last, st.sampled_from(characters), inner, _last(characters)
    )
    return st.one_of(st.sampled_from((*_AWKWARD_NAMES, "Null", "Yes")), plain)


def _last(characters: str) -> st.SearchStrategy[str]:
    return st.sampled_from(("", *characters)).filter(bool)


def clusters() -> st.SearchStrategy[str]:
    """A cluster's name, or now and then its ARN."""
    ids = st.text(_LOWER, min_size=12, max_size=12)
    arns = ids.map(lambda id_: f"arn:aws:sagemaker:us-west-2:123456789012:cluster/{id_}")
    return st.one_of(entity_names(), arns)


def amounts(largest: int = 1000) -> st.SearchStrategy[float]:
    """vCPUs or GiB: whole, halves, and numbers with a tail."""
    whole = st.integers(0, largest).map(float)
    return st.one_of(whole, whole.map(lambda number: number + 0.5), st.floats(0, largest, allow_nan=False))


@st.composite
def quota_entries(draw: st.DrawFn, types: Sequence[str] = INSTANCE_TYPES, largest: int = 1000) -> QuotaEntry:
    """One entry with at least one amount; accelerators only on types that have some."""
    instance_type = draw(st.sampled_from(types))
    known = bundled_instances().get(instance_type)
    fields = ["count", "v_cpu", "memory_in_gib"]
    if known is None or known.accelerators:
        fields += ["accelerators", "partition"]
    chosen = draw(st.sets(st.sampled_from(fields), min_size=1, max_size=2))
    whole = st.integers(0, largest)
    return QuotaEntry(
        instance_type,
        count=draw(whole) if "count" in chosen else None,
        accelerators=draw(whole) if "accelerators" in chosen else None,
        v_cpu=draw(amounts(largest)) if "v_cpu" in chosen else None,
        memory_in_gib=draw(amounts(largest)) if "memory_in_gib" in chosen else None,
        partition=draw(partitions(largest)) if "partition" in chosen else None,
    )


def partitions(largest: int = 1000) -> st.SearchStrategy[Partition]:
    """MIG partitions of any profile that the service knows."""
    return st.builds(Partition, st.sampled_from(service_limits()["MIGProfileType"].values), st.integers(0, largest))


def quotas(types: Sequence[str] = INSTANCE_TYPES, largest: int = 1000) -> st.SearchStrategy[tuple[QuotaEntry, ...]]:
    """The entries of a team: each instance type (and MIG profile) at most once."""
    return st.lists(quota_entries(types, largest), max_size=4, unique_by=lambda entry: entry.key).map(tuple)


def sharings(types: Sequence[str] = INSTANCE_TYPES) -> st.SearchStrategy[Sharing]:
    """Every strategy, with limits or without."""
    return st.builds(
        Sharing,
        st.sampled_from(("LendAndBorrow", "Lend", "DontLend")),
        st.none() | st.integers(0, 10000),
        st.none() | quotas(types),
    )


def descriptions() -> st.SearchStrategy[str]:
    """Text without control characters, in any script, and text that looks like YAML."""
    tricky = st.sampled_from(
        ("", "a: b", "- a", "#1", "'", '"', "no", "1e3", "~", " padded ", "*a", "{a, b}", "%", "\\", "\u2028", "😀")
    )
    printable = st.characters(exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn"])
    return st.one_of(tricky, st.text(printable, max_size=40).filter(is_description))


def alarms() -> st.SearchStrategy[Alarms]:
    """An alarm on borrowing, muted until a whole second of the years that a policy may name, or none."""
    moments = st.integers(0, 4_133_980_799)
    borrowing = st.builds(BorrowingAlarm, st.integers(1, 10000), st.none() | moments)
    return st.builds(Alarms, st.none() | borrowing)


@st.composite
def teams(
    draw: st.DrawFn,
    names: Sequence[str] | None = None,
    types: Sequence[str] = INSTANCE_TYPES,
    largest: int = 1000,
) -> Team:
    """A team; every optional field present or not. ``quotaName`` is left to the default."""
    return Team(
        name=draw(st.sampled_from(names) if names else kubernetes_names()),
        quota=draw(quotas(types, largest)),
        description=draw(st.none() | descriptions()),
        fair_share_weight=draw(st.none() | st.integers(0, 100)),
        sharing=draw(st.none() | sharings(types)),
        preempt_team_tasks=draw(st.sampled_from((None, "Never", "LowerPriority"))),
        activation=draw(st.sampled_from((None, "Enabled", "Disabled"))),
        alarms=draw(st.sampled_from((msgspec.UNSET, None)) | alarms()),
    )


def cluster_policies() -> st.SearchStrategy[ClusterPolicy]:
    """A cluster policy with up to four classes of priority."""
    classes = st.builds(PriorityClass, kubernetes_names(MAX_PRIORITY_CLASS_NAME), st.integers(0, 100))
    return st.builds(
        ClusterPolicy,
        st.lists(classes, max_size=4, unique_by=lambda each: each.name).map(tuple),
        st.sampled_from((None, "Enabled", "Disabled")),
        st.sampled_from((None, "Enabled", "Disabled")),
        st.none() | entity_names(),
    )


@st.composite
def policies(
    draw: st.DrawFn,
    names: Sequence[str] | None = None,
    types: Sequence[str] = INSTANCE_TYPES,
    largest: int = 1000,
    most_teams: int = 4,
) -> Policy:
    """A whole policy. Quota names are set now and then, and never meet."""
    drawn = draw(
        st.lists(teams(names, types, largest), max_size=most_teams, unique_by=lambda team: team.name).map(tuple)
    )
    named = tuple(
        msgspec.structs.replace(team, quota_name=f"own-{index}") if draw(st.booleans()) else team
        for index, team in enumerate(drawn)
    )
    words: tuple[OnDelete, ...] = ("Retain", "Remove")
    on_delete = draw(st.sampled_from(words))
    return Policy(
        draw(clusters()),
        named,
        draw(st.none() | cluster_policies()),
        on_delete=on_delete,
        alarms=draw(st.none() | alarms()),
    )
