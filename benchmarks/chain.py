"""From the upload to the written answer, on the local AWS, against a bare chain in the same run."""

import time
from collections.abc import Sequence

from benchmarks.figure import Figure, number
from benchmarks.processes import ROOT
from benchmarks.samples import Sample
from local.aws.launcher import LocalAws, wait_for
from local.deployment import BUILD, Deployment, deployed

_POLICY = """\
version: 1
cluster: {cluster}
teams:
  - {{name: team-a, fairShareWeight: {weight}, quota: [{{instanceType: ml.g5.8xlarge, count: 2}}]}}
"""
_POLL = 0.005
_REST = 1.0
"""Seconds between measurements: a worker that still tells of a verdict would make the next upload start another."""


def measure(*, quick: bool) -> Sequence[Figure]:
    """One figure; wall time, polled every 5 ms."""
    rounds = 3 if quick else 9
    taken: dict[str, list[float]] = {}
    with deployed(plane_settings={"transition_seconds": 0}) as deployment:
        aws = deployment.aws
        bare = aws.build_and_deploy(ROOT / "benchmarks" / "bare", {"Runtime": BUILD["Runtime"]}, "bare")
        for number_ in range(rounds):
            for cold in (True, False):
                if cold:
                    _cool(aws, bare["Nothing"], number_)
                word = "cold" if cold else "warm"
                time.sleep(_REST)
                _note(taken, f"bare chain, {word}", _bare(aws, bare, f"{number_}-{word}"))
                if cold:
                    for name in ("ReceivePolicyFunction", "ApplyPolicyFunction"):
                        _cool(aws, deployment.function(name), number_)
                time.sleep(_REST)
                verdict, applied = _product(deployment, f"cluster-{number_}", 1 if cold else 2)
                _note(taken, f"upload → accepted in the status document, {word}", verdict)
                _note(taken, f"upload → Applied, {word}", applied)
                time.sleep(_REST)
                _note(taken, f"upload → Rejected, {word}", _rejected(deployment, f"{number_}-{word}", cold=cold))
    samples = {name: Sample(tuple(values)) for name, values in taken.items()}
    rows = []
    for name, sample in samples.items():
        base = samples[f"bare chain, {name.rpartition(' ')[2]}"]
        ms = sample.scaled(1000)
        rows.append([name, *(number(each) for each in (ms.low, ms.median, ms.high, sample.over(base).median))])
    return [
        Figure(
            "chain: wall ms from put_object to what can be read",
            ["", "min", "median", "max", "over the bare chain"],
            rows,
            notes=[
                f"{rounds} rounds; transitions of the service take no time. The bare chain is S3, EventBridge, SQS "
                "FIFO and a handler that prints the time; the product has two functions in its chain, and answers in "
                "two documents, an event and a metric. Cold: the function's worker has to start. All on this machine: "
                "what AWS adds in network is in neither."
            ],
        )
    ]


def _note(taken: dict[str, list[float]], name: str, seconds: float) -> None:
    taken.setdefault(name, []).append(seconds)


def _cool(aws: LocalAws, function: str, number_: int) -> None:
    """Another description is another configuration: the next invocation starts a worker."""
    client = aws.client("lambda")
    variables = client.get_function_configuration(FunctionName=function).get("Environment", {}).get("Variables", {})
    client.update_function_configuration(
        FunctionName=function, Environment={"Variables": {**variables, "ROUND": f"{number_} {time.time()}"}}
    )


def _bare(aws: LocalAws, outputs: dict[str, str], key: str) -> float:
    began = time.time()
    aws.client("s3").put_object(Bucket=outputs["Files"], Key=key, Body=b"x")

    def ended() -> float | None:
        lines = [line for line in aws.logs(outputs["Nothing"]).splitlines() if line.startswith(f"nothing {key} ")]
        return float(lines[0].split()[2]) - began if lines else None

    return wait_for(ended, 30, 0.05)


def _product(deployment: Deployment, cluster: str, weight: int) -> tuple[float, float]:
    if weight == 1:
        deployment.add_cluster(cluster, {"ml.g5.8xlarge": 4})
    key = f"policies/{cluster}.yaml"
    began = time.time()
    version = deployment.upload(key, _POLICY.format(cluster=cluster, weight=weight))

    def answered() -> float | None:
        status = deployment.status(key)
        return time.time() - began if status and status["newest"]["origin"]["version"] == version else None

    def applied() -> float | None:
        status = deployment.status(key)
        return time.time() - began if status and status["verdict"] == "Applied" else None

    return wait_for(answered, 60, _POLL), wait_for(applied, 60, _POLL)


def _rejected(deployment: Deployment, name: str, *, cold: bool) -> float:
    if cold:
        _cool(deployment.aws, deployment.function("ReceivePolicyFunction"), 0)
    key = f"policies/broken-{name}.yaml"
    began = time.time()
    deployment.upload(key, "version: 1\nclustre: x\n")
    return wait_for(lambda: time.time() - began if deployment.status(key) else None, 60, _POLL)
