"""Small files that between them bring out every message of the policy, the checks and the matching of quotas."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from governor.aws.service_model import service_limits
from governor.checks import Overcommit, check_capacity, check_cluster, check_policy
from governor.plan import Live, LiveClusterPolicy, Quota, desired_by, plan
from governor.policy import Bounds, Diagnostic, Finding, Parsed, Policy, Severity, parse_policy
from governor.quota import Cluster, InstanceGroup, QuotaEntry, amounts_of, bundled_instances, total
from governor.quota.cluster import GroupKind
from tests.golden import alarms

ARN = "arn:aws:sagemaker:us-west-2:123456789012:cluster/abcdefghij01"
G5 = "ml.g5.8xlarge"
P5 = "ml.p5.48xlarge"
NOT_IN_TABLE = "ml.g4dn.xlarge"

Check = Callable[[Policy], Iterable[Finding]]


class Scenario(msgspec.Struct, frozen=True):
    """A file, and what else it is held against: a cluster, live quotas. ``json`` is decided by the file's name."""

    name: str
    data: bytes
    json: bool = False
    present_types: frozenset[str] = frozenset()
    bounds: Bounds | None = None
    check: Check | None = None

    def parsed(self) -> Parsed:
        """The file as read."""
        return parse_policy(
            self.data, service_limits(), json=self.json, present_types=self.present_types, bounds=self.bounds
        )

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All its messages, in the order of the file."""
        parsed = self.parsed()
        items = list(parsed.diagnostics)
        if parsed.policy is not None:
            check = self.check or (lambda policy: check_policy(policy, bundled_instances()))
            for finding in check(parsed.policy):
                at = parsed.position(*finding.path)
                items.append(Diagnostic(finding.severity, finding.code, at.line, at.column, finding.text))
        return tuple(sorted(items, key=lambda item: (item.line, item.column)))


def scenarios() -> tuple[Scenario, ...]:
    """All of them; a test holds that no code of a message is missing."""
    return (
        *_sources(),
        *_values(),
        *_names(),
        *_alarms(),
        *_warnings(),
        *_against_a_cluster(),
        *_against_live_quotas(),
    )


def _file(body: str, cluster_policy: str = "") -> bytes:
    """A policy that is sound apart from the teams that are given."""
    return f"version: 1\ncluster: ml-research\n{cluster_policy}teams:\n{body}".encode()


_SOUND = "quota: [{instanceType: ml.g5.8xlarge, count: 2}], fairShareWeight: 50"


def _sound(*names: str) -> str:
    return "".join(f"  - {{name: {name}, {_SOUND}}}\n" for name in names)


def _two(team: str) -> bytes:
    """A policy whose first team is given and whose second is sound."""
    return _file(f"{team}{_sound('other')}")


def _sources() -> Iterator[Scenario]:
    yield Scenario("an empty file", b"")
    yield Scenario("comments only", b"# version: 1\n")
    yield Scenario("a file with nothing in it but an empty document", b"---\n")
    yield Scenario("too large (bound lowered to 40 bytes)", b"#" * 41, bounds=Bounds(size=40))
    yield Scenario("not UTF-8", "version: 1\ncluster: caf\xe9\n".encode("latin-1"))
    yield Scenario("UTF-16 with a byte order mark", "version: 1\n".encode("utf-16-le").join([b"\xff\xfe", b""]))
    yield Scenario("UTF-16 without one", "version: 1\n".encode("utf-16-le"))
    yield Scenario("a NUL", b"version: 1\ncluster: ml\0research\n")
    yield Scenario("an escape sequence for a terminal", b"version: 1\ncluster: \x1b[31mred\n")
    yield Scenario("a line separator that editors do not show", "version: 1\n# pasted\u2028\n".encode())
    yield Scenario("a tag", b"version: !!int 1\n")
    yield Scenario("a tag that would run code", b"version: !!python/object/apply:os.system [id]\n")
    yield Scenario("a tag directive", b"%TAG ! tag:example.com,2026:\n---\nversion: 1\n")
    yield Scenario("a tag nobody declared", b"cluster: !ml!research x\n")
    yield Scenario("two documents", b"version: 1\n---\nversion: 1\n")
    yield Scenario("an alias to nothing", b"version: 1\ncluster: *name\n")
    yield Scenario("an alias inside its own anchor", b"teams: &all [*all]\n")
    yield Scenario("too deep", b"teams: " + b"[" * 32)
    yield Scenario("too deep by aliases (bound lowered to 4)", b"a: &a [[[1]]]\nb: [*a]\n", bounds=Bounds(depth=4))
    yield Scenario(
        "too many values by aliases (bound lowered to 20)",
        b"a: &a [1, 2, 3, 4]\nb: &b [*a, *a, *a]\nc: [*b, *b]\n",
        bounds=Bounds(nodes=20),
    )
    for name, text in _NOT_YAML.items():
        yield Scenario(f"not YAML: {name}", text.encode())
    yield Scenario("JSON: half a surrogate pair", rb'{"version": 1, "cluster": "\ud83d"}', json=True)
    yield Scenario("JSON: not closed", b'{"version": 1, "cluster": "ml-research"', json=True)


_NOT_YAML = {
    "a key without a colon": "version: 1\ncluster\nteams: []\n",
    "a colon inside plain text": "version: 1\ncluster: ml: research\n",
    "a key indented too far": "version: 1\n  cluster: ml-research\n",
    "a key indented too little": "teams:\n    - name: a\n      quota: []\n   - name: b\n",
    "a tab for indentation": "teams:\n\t- name: a\n",
    "a tab inside a mapping": "teams:\n  - name: a\n\tquota: []\n",
    "a tab in block text": "description: |\n\ttext\n",
    "a value that starts with @": "cluster: @research\n",
    "a value that starts with %": "cluster: %research\n",
    "a value that starts with *": "cluster: *\n",
    "a value that starts with |": "cluster: |research\n",
    "a value that starts with !": "cluster: !<research\n",
    "a quote that is not closed": 'version: 1\ncluster: "ml-research\nteams: []\n',
    "a quote that runs into the next document": 'cluster: "ml-research\n---\nversion: 1\n',
    "text behind a quoted value": 'cluster: "ml" research\n',
    "a backslash in double quotes": 'cluster: "ml\\data"\n',
    "a short escape in double quotes": 'cluster: "ml\\u12"\n',
    "a list that is not closed": "teams: [{name: a, quota: []}\nversion: 1\n",
    "a mapping that is not closed": "teams:\n  - {name: a, quota: []\n  - {name: b, quota: []}\n",
    "a comma too many": "teams: [{name: a, quota: []},, {name: b}]\n",
    "a list beside its key": "teams: - name: a\n",
    "a list and a mapping mixed": "- name: a\nteams: []\n",
    "a second value": "[version]\ncluster: a\n",
    "a '?' key in the wrong place": "version: ? a\n",
    "another version of YAML": "%YAML 2.0\n---\nversion: 1\n",
    "the version of YAML twice": "%YAML 1.2\n%YAML 1.2\n---\nversion: 1\n",
    "a directive nobody knows": "%POLICY 1\n---\nversion: 1\n",
    "one error without advice of its own": "%YAML x\n---\nversion: 1\n",
}


def _values() -> Iterator[Scenario]:
    yield Scenario("a list instead of a policy", b"- version: 1\n")
    yield Scenario("text instead of a policy", b"version 1\n")
    yield Scenario("everything missing", b"{}\n")
    yield Scenario(
        "missing keys of a team and an entry", _file("  - {sharing: {}}\n  - {name: a, quota: [{count: 1}]}\n")
    )
    yield Scenario("an unknown key, nearly right", _two("  - {name: a, quota: [], fairshareWeigth: 50}\n"))
    yield Scenario("an unknown key, nothing like it", _two("  - {name: a, quota: [], zzz: 50}\n"))
    yield Scenario("keys that are no text", b"version: 1\ncluster: c\nteams: []\n1: a\n? [b]\n: c\n? \n: d\n")
    yield Scenario("a key twice", b"version: 1\ncluster: a\nteams: []\ncluster: b\n")
    yield Scenario("a merge key", _file("  - &a {name: a, quota: []}\n  - {<<: *a, name: b}\n"))
    yield Scenario("blocks of a later release", b"version: 1\ncluster: c\nteams: []\ndrift: {}\n")
    yield Scenario("another word for onDelete", b"version: 1\ncluster: c\nonDelete: remove\nteams: []\n")
    yield Scenario("another version of the format", b"version: 2\ncluster: c\nteams: []\n")
    yield Scenario("the version in quotes", b'version: "1"\ncluster: c\nteams: []\n')
    yield Scenario("empty values", b"version:\ncluster:\nclusterPolicy:\nteams:\n")
    yield Scenario("lists and mappings mixed up", _file("  name: a\n", "clusterPolicy: [fairShare]\n"))
    yield Scenario("a number for a name", _two("  - {name: 123, quota: []}\n"))
    yield Scenario("a truth value for a name", _two("  - {name: true, quota: []}\n"))
    yield Scenario(
        "numbers of another kind",
        _file(
            f"  - {{name: a, fairShareWeight: high, quota: [{{instanceType: {G5}, count: '2'}}]}}\n"
            f"  - {{name: b, fairShareWeight: true, quota: [{{instanceType: {G5}, count: 1.5}}]}}\n"
            f"  - {{name: c, fairShareWeight: [1], quota: [{{instanceType: {G5}, vCpu: .nan}}]}}\n"
        ),
    )
    yield Scenario(
        "numbers out of range",
        _file(
            f"  - {{name: a, fairShareWeight: 101, quota: [{{instanceType: {G5}, count: -1}}]}}\n"
            f"  - {{name: b, quota: [{{instanceType: {G5}, vCpu: 1e9}}], "
            "sharing: {strategy: LendAndBorrow, borrowLimit: 10001}}\n"
            f"  - {{name: c, quota: [{{instanceType: {G5}, memoryInGiB: .inf}}]}}\n"
            f"  - {{name: d, quota: [{{instanceType: {G5}, accelerators: {'9' * 80}}}]}}\n",
            "clusterPolicy: {priorityClasses: [{name: high, weight: 200}]}\n",
        ),
    )
    yield Scenario(
        "a value that is not one of the choices",
        _file(
            "  - {name: a, quota: [], preemptTeamTasks: lowerpriority, activation: yes}\n"
            "  - {name: b, quota: [], sharing: {strategy: Borrow}}\n",
            "clusterPolicy: {fairShare: true, idleResourceSharing: [Enabled]}\n",
        ),
    )
    yield Scenario(
        "a MIG profile that does not exist",
        _two(f"  - {{name: a, quota: [{{instanceType: {P5}, acceleratorPartition: {{type: 1g, count: 1}}}}]}}\n"),
    )
    yield Scenario(
        "unknown instance types",
        _file(
            "  - name: a\n    quota:\n      - {instanceType: ml.g5.8xlarg, count: 1}\n"
            "      - {instanceType: cray-1, count: 1}\n      - {instanceType: 8, count: 1}\n"
        ),
    )
    yield Scenario(
        "an instance type that only the cluster knows",
        _two("  - {name: a, fairShareWeight: 1, quota: [{instanceType: ml.p9.48xlarge, count: 1}]}\n"),
        present_types=frozenset({"ml.p9.48xlarge"}),
    )
    yield Scenario("an entry without an amount", _two(f"  - {{name: a, quota: [{{instanceType: {G5}}}]}}\n"))
    yield Scenario(
        "accelerators of a type that has none",
        _file(
            "  - {name: a, quota: [{instanceType: ml.m5.4xlarge, accelerators: 2}]}\n"
            "  - name: b\n    quota:\n      - instanceType: ml.m5.4xlarge\n"
            "        acceleratorPartition: {type: mig-1g.10gb, count: 2}\n"
        ),
    )
    yield Scenario(
        "a quota with more entries than the service takes",
        _two(
            "  - name: a\n    quota:\n"
            + "".join(f"      - {{instanceType: ml.c5.{size}, count: 1}}\n" for size in _SIZES)
        ),
    )
    yield Scenario("more messages than anybody reads", _file("  - {}\n" * 501))


_SIZES = ("large", "xlarge", "2xlarge", "4xlarge", "9xlarge", "12xlarge", "18xlarge", "24xlarge") * 2


def _names() -> Iterator[Scenario]:
    yield Scenario("a team twice", _file(_sound("vision", "nlp", "vision")))
    yield Scenario(
        "a quota name twice, once by default",
        _file(_sound("vision") + f"  - {{name: nlp, quotaName: vision-quota, {_SOUND}}}\n"),
    )
    yield Scenario(
        "a priority class twice",
        _file(
            _sound("a", "b"), "clusterPolicy: {priorityClasses: [{name: high, weight: 9}, {name: high, weight: 8}]}\n"
        ),
    )
    yield Scenario(
        "an instance type twice in a quota",
        _two(
            "  - name: a\n    quota:\n"
            f"      - {{instanceType: {G5}, count: 1}}\n      - {{instanceType: {G5}, vCpu: 8}}\n"
        ),
    )
    yield Scenario("names that are none", _file("  - {name: Team A, quota: []}\n  - {name: '!', quota: []}\n"))
    yield Scenario("a team's name that is too long", _two(f"  - {{name: {'a' * 41}, quota: []}}\n"))
    yield Scenario(
        "names of a cluster policy and its classes",
        _file(
            _sound("a", "b"),
            "clusterPolicy: {name: my_policy, priorityClasses: [{name: " + "p" * 55 + ", weight: 1}]}\n",
        ),
    )
    yield Scenario("a quota's name that is too long", _two(f"  - {{name: a, quota: [], quotaName: {'q' * 64}}}\n"))
    yield Scenario("a cluster's name that is none", b"version: 1\ncluster: ml_research\nteams: []\n")
    yield Scenario(
        "a cluster's ARN of another kind",
        b"version: 1\ncluster: arn:aws:eks:us-west-2:123456789012:cluster/ml-research\nteams: []\n",
    )
    yield Scenario("a description of two lines", _two('  - {name: a, quota: [], description: "one\\ntwo"}\n'))
    yield Scenario("a name that would move the cursor", _two('  - {name: "\\e[2Jteam", quota: []}\n'))


def _alarms() -> Iterator[Scenario]:
    yield from (Scenario(name, data) for name, data in alarms.files())


def _warnings() -> Iterator[Scenario]:
    yield Scenario("no team", b"version: 1\ncluster: ml-research\nteams: []\n")
    yield Scenario("one team", _file(_sound("alone")))
    yield Scenario("a team that is guaranteed nothing", _two("  - {name: a, quota: [], fairShareWeight: 50}\n"))
    yield Scenario(
        "count beside amounts",
        _two(f"  - {{name: a, fairShareWeight: 50, quota: [{{instanceType: {G5}, count: 2, vCpu: 16}}]}}\n"),
    )
    yield Scenario(
        "weights of 0 for teams that borrow",
        _file(
            "  - {name: a, quota: [{instanceType: ml.g5.8xlarge, count: 2}]}\n"
            "  - {name: b, fairShareWeight: 0, quota: [{instanceType: ml.g5.8xlarge, count: 2}]}\n"
        ),
    )
    yield Scenario(
        "borrow limits that AWS's documents disagree about",
        _file(
            f"  - {{name: a, {_SOUND}, sharing: {{strategy: LendAndBorrow, borrowLimit: 0}}}}\n"
            f"  - {{name: b, {_SOUND}, sharing: {{strategy: LendAndBorrow, borrowLimit: 501}}}}\n"
        ),
    )
    yield Scenario(
        "limits of teams that never borrow",
        _file(
            f"  - {{name: a, {_SOUND}, sharing: {{strategy: Lend, borrowLimit: 50}}}}\n"
            f"  - {{name: b, {_SOUND}, sharing: {{strategy: DontLend, absoluteBorrowLimits: []}}}}\n"
        ),
    )
    yield Scenario(
        "limits that never give a whole accelerator",
        _file(
            f"  - {{name: a, fairShareWeight: 50, quota: [{{instanceType: {G5}, count: 1}}]}}\n"
            f"  - {{name: b, fairShareWeight: 50, quota: [{{instanceType: {P5}, accelerators: 3}}], "
            "sharing: {strategy: LendAndBorrow, borrowLimit: 30}}\n"
            f"  - {{name: c, fairShareWeight: 50, quota: [{{instanceType: {P5}, "
            "acceleratorPartition: {type: mig-1g.10gb, count: 4}}], "
            "sharing: {strategy: LendAndBorrow, borrowLimit: 20}}\n"
            f"  - {{name: d, fairShareWeight: 50, quota: [{{instanceType: {G5}, count: 2}}], "
            f"sharing: {{strategy: LendAndBorrow, absoluteBorrowLimits: [{{instanceType: {G5}, accelerators: 0}}]}}}}\n"
        ),
    )
    yield Scenario(
        "an absolute limit for a type that the quota lacks",
        _two(
            f"  - {{name: a, {_SOUND}, sharing: {{strategy: LendAndBorrow, "
            f"absoluteBorrowLimits: [{{instanceType: {P5}, accelerators: 1}}]}}}}\n"
        ),
    )


def _against_a_cluster() -> Iterator[Scenario]:
    for status in ("Creating", "Deleting", "Failed"):
        yield Scenario(f"a cluster that is {status}", _file(_sound("a", "b")), check=_cluster(status=status))
    yield Scenario("a cluster without EKS", _file(_sound("a", "b")), check=_cluster(orchestrator="slurm"))
    more = _file(_sound("a", "b", "c"))
    yield Scenario("more than the cluster has", more, check=_cluster(_group(G5, 4)))
    yield Scenario("less over-commitment than before", more, check=_cluster(_group(G5, 4), before=8))
    yield Scenario("over-commitment that is allowed", more, check=_cluster(_group(G5, 4), overcommit="warning"))
    yield Scenario("over-commitment of a group that scales", more, check=_cluster(_group(G5, 4, kind="autoscaled")))
    yield Scenario("a type that the cluster does not have", _file(_sound("a", "b")), check=_cluster(_group(P5, 4)))
    yield Scenario(
        "half an accelerator too many",
        _file(
            f"  - {{name: a, quota: [{{instanceType: {P5}, accelerators: 8}}]}}\n"
            f"  - {{name: b, quota: [{{instanceType: {P5}, acceleratorPartition: {{type: mig-1g.10gb, count: 3}}}}]}}\n"
        ),
        check=_cluster(_group(P5, 1)),
    )
    yield Scenario(
        "a type that nobody can look up",
        _file(f"  - {{name: a, quota: [{{instanceType: {NOT_IN_TABLE}, count: 5}}]}}\n"),
        check=_cluster(_group(NOT_IN_TABLE, 4)),
    )
    yield Scenario(
        "nodes with one thread per core",
        _file(
            f"  - {{name: a, quota: [{{instanceType: {G5}, count: 2}}]}}\n"
            f"  - {{name: b, quota: [{{instanceType: {G5}, vCpu: 48}}]}}\n"
            "  - {name: c, quota: [{instanceType: ml.m5.4xlarge, count: 2}]}\n"
        ),
        check=_cluster(_group(G5, 4, threads=1), _group("ml.m5.4xlarge", 2, threads=1)),
    )


def _group(instance_type: str, count: int, *, kind: GroupKind = "fixed", threads: int | None = None) -> InstanceGroup:
    return InstanceGroup(f"workers-{instance_type.split('.')[1]}", instance_type, count, kind, threads)


def _cluster(
    *groups: InstanceGroup,
    status: str = "InService",
    orchestrator: str = "eks",
    before: int = 0,
    overcommit: Severity = "error",
) -> Check:
    """The checks against a cluster whose teams were guaranteed ``before`` instances of ml.g5.8xlarge."""
    cluster = Cluster(ARN, "ml-research", status, orchestrator, groups or (_group(G5, 100),))

    def check(policy: Policy) -> list[Finding]:
        known = bundled_instances()
        after = total(
            amounts_of(entry, known.get(entry.instance_type)) for team in policy.teams for entry in team.quota
        )
        was = amounts_of(QuotaEntry(G5, before), known[G5])
        return [
            *check_cluster(cluster),
            *check_capacity(policy.teams, cluster, known, was, after, Overcommit(overcommit)),
        ]

    return check


def _against_live_quotas() -> Iterator[Scenario]:
    yield Scenario(
        "a team that has a quota under another name",
        _file(_sound("vision", "nlp")),
        check=_quotas(Quota("q-1", "Vision-Quota-Allocation", "vision", "Created", 1)),
    )
    yield Scenario(
        "a quota name that another team has, by default",
        _file(_sound("vision", "nlp")),
        check=_quotas(Quota("q-1", "vision-quota", "robotics", "Created", 1)),
    )
    yield Scenario(
        "a quota name that another team has, as written",
        _file(_sound("vision") + f"  - {{name: nlp, quotaName: text-quota, {_SOUND}}}\n"),
        check=_quotas(Quota("q-1", "text-quota", "robotics", "Created", 1)),
    )
    yield Scenario(
        "a cluster policy under another name",
        _file(_sound("vision", "nlp"), "clusterPolicy: {fairShare: Enabled}\n"),
        check=_policies(LiveClusterPolicy("p-1", "example-cluster-scheduler-config", "Created", 1)),
    )


def _quotas(*quotas: Quota) -> Check:
    return _live(quotas, ())


def _policies(*policies: LiveClusterPolicy) -> Check:
    return _live((), policies)


def _live(quotas: tuple[Quota, ...], policies: tuple[LiveClusterPolicy, ...]) -> Check:
    """The plan's own findings, in a cluster with room for everything and nothing that is ours."""
    cluster = Cluster(ARN, "ml-research", "InService", "eks", (_group(G5, 100),))
    live = Live(cluster, quotas, policies, bundled_instances())
    return lambda policy: plan(desired_by(policy), live, None).findings
