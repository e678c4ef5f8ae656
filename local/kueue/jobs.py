"""Kueue's controller for Jobs: makes and follows their workloads, starts and stops them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from governor.kueue import reading
from governor.kueue.admission import events
from governor.kueue.objects import Workload, WorkloadKey
from local.hyperpod.clock import Clock
from local.kubernetes.errors import ApiError, JsonObject
from local.kueue import job_workloads
from local.kueue.job_workloads import priority_class_of, queue_of
from local.kueue.names import FLAVORS, JOBS, PRIORITY_CLASSES, WORKLOADS
from local.kueue.narration import JOBS as COMPONENT
from local.kueue.observing import store_key
from local.kueue.recorder import Recorder
from local.kueue.rules import is_finished, reserves_quota
from local.kueue.shelf import Shelf


class JobKeeper:
    """Knows which workload belongs to which job. Callers hold the store's lock."""

    def __init__(self, shelf: Shelf, recorder: Recorder, clock: Clock) -> None:
        self._shelf = shelf
        self._recorder = recorder
        self._clock = clock
        self._owners: dict[WorkloadKey, tuple[str, str]] = {}
        self._workloads: defaultdict[str, dict[str, WorkloadKey]] = defaultdict(dict)
        self._without_class: defaultdict[str, dict[str, None]] = defaultdict(dict)

    def note(self, key: WorkloadKey) -> str:
        """Look at whose a workload is, or was; the key of the job, "" for nobody's."""
        obj = self._shelf.get(WORKLOADS, store_key(key))
        known = self._owners.pop(key, None)
        if known is not None:
            self._workloads[known[0]].pop(known[1], None)
        for owner in (obj or {}).get("metadata", {}).get("ownerReferences") or ():
            if owner.get("controller") and owner.get("kind") == "Job":
                job = f"{key[0]}/{owner['name']}"
                self._owners[key] = job, owner["uid"]
                self._workloads[job][owner["uid"]] = key
                return job
        return known[0] if known else ""

    def look(self, job_key: str) -> Iterator[events.Event]:
        """Have a job's workload as the job is now; what the model has to hear that the workload does not say."""
        job = self._shelf.get(JOBS, job_key)
        uid = job["metadata"]["uid"] if job else ""
        for other, key in list(self._workloads[job_key].items()):
            if other != uid:
                self._delete(key)
        if job is None:
            del self._workloads[job_key]
            return
        if not queue_of(job):
            return
        known = self._workloads[job_key].get(uid)
        workload = self._shelf.get(WORKLOADS, store_key(known)) if known else None
        end = job_workloads.ended(job)
        if known is None or workload is None:
            if end is None:
                self._make(job_key, job)
        elif end is not None:
            if not is_finished(workload):
                yield events.Finish(known, end[1], end[0])
        else:
            self._update(job_key, job, workload)

    def look_at_class(self, name: str) -> None:
        """Make the workloads that a priority class was missing for, and give others the priority that it has now."""
        for job_key in list(self._without_class.pop(name, ())):
            for _ in self.look(job_key):
                """A job without a workload has not ended."""
        priority = self._priority(name)
        if priority is None:
            return
        for _, workload in list(self._shelf.all(WORKLOADS)):
            spec = workload["spec"]
            if job_workloads.class_reference(name).items() <= spec.items() and spec.get("priority") != priority:
                self._replace(workload, {**spec, "priority": priority})

    def follow(self, key: WorkloadKey, workload: Workload | None) -> None:
        """Start or stop the job of a workload, as the workload is admitted or not."""
        job_key, uid = self._owners.get(key, ("", ""))
        job = self._shelf.get(JOBS, job_key) if job_key else None
        if job is None or job["metadata"]["uid"] != uid or not queue_of(job) or not isinstance(job.get("spec"), dict):
            return
        admission = (
            workload.admission if workload and workload.is_("Admitted") and not workload.is_("Evicted") else None
        )
        if job_workloads.ended(job) is None:
            if admission is not None and job_workloads.is_suspended(job):
                names = dict.fromkeys(flavor for each in admission.pod_sets for flavor in each.flavors.values())
                flavors = [flavor for name in names if (flavor := self._shelf.get(FLAVORS, name)) is not None]
                job = self._shelf.replace(JOBS, job_workloads.started(job, admission, flavors))
            elif admission is None and not job_workloads.is_suspended(job):
                manifest = self._shelf.get(WORKLOADS, store_key(key)) or {}
                job = self._shelf.replace(JOBS, job_workloads.stopped(job, manifest))
        now = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = job_workloads.imagined_status(job, now)
        if status != job.get("status"):
            self._shelf.replace_status(JOBS, {**job, "status": status})

    def workloads_of(self, job_key: str) -> Iterable[WorkloadKey]:
        """The workloads of jobs of this name: one, but for the moment when a job has replaced another."""
        return tuple(self._workloads.get(job_key, {}).values())

    def job_of(self, key: WorkloadKey) -> JsonObject | None:
        """The job that a workload belongs to, if it is there."""
        job_key, uid = self._owners.get(key, ("", ""))
        job = self._shelf.get(JOBS, job_key) if job_key else None
        return job if job is not None and job["metadata"]["uid"] == uid else None

    def _make(self, job_key: str, job: JsonObject) -> None:
        """A job that names an unknown priority class gets no workload before there is one."""
        name = priority_class_of(job)
        priority = self._priority(name) if name else 0
        if priority is None:
            if job_key not in self._without_class[name]:
                told = f'WorkloadPriorityClass "{name}" not found'
                self._recorder.record(job, "WorkloadPriorityClassNotFound", told, COMPONENT, "Warning")
            self._without_class[name][job_key] = None
            return
        workload = job_workloads.workload_of(job, priority, indexed=self._shelf.has_new_version())
        try:
            made = self._shelf.create(WORKLOADS, workload)
        except ApiError as error:
            self._recorder.record(job, "ErrWorkloadCompose", error.message, COMPONENT, "Warning")
            return
        key = made["metadata"]["namespace"], made["metadata"]["name"]
        self.note(key)
        self._recorder.record(job, "CreatedWorkload", f"Created Workload: {key[0]}/{key[1]}", COMPONENT)

    def _update(self, job_key: str, job: JsonObject, workload: JsonObject) -> None:
        """What may still change of a workload: its priority always, the rest before it has quota."""
        spec = dict(workload["spec"])
        name = priority_class_of(job)
        priority = self._priority(name) if name else None
        if priority is not None:
            spec |= {"priority": priority, **job_workloads.class_reference(name)}
        elif name:
            self._without_class[name][job_key] = None
        if not reserves_quota(workload) and job_workloads.is_suspended(job):
            spec["queueName"] = queue_of(job)
            spec["podSets"] = job_workloads.pod_sets_of(job, indexed=self._shelf.has_new_version())
        self._replace(workload, spec)

    def _replace(self, workload: JsonObject, spec: JsonObject) -> None:
        if spec != workload["spec"]:
            self._shelf.replace(WORKLOADS, {**workload, "spec": spec})

    def _priority(self, name: str) -> int | None:
        found = self._shelf.get(PRIORITY_CLASSES, name)
        if found is None:
            return None
        try:
            return reading.workload_priority_class(found).value
        except reading.ReadingError:
            return None

    def _delete(self, key: WorkloadKey) -> None:
        workload = self._shelf.get(WORKLOADS, store_key(key))
        if workload is not None:
            self._shelf.delete(WORKLOADS, workload)
