"""Kueue's controller for Jobs: makes and follows their workloads, starts and stops them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from governor.kueue import reading
from governor.kueue.admission import events
from governor.kueue.objects import Workload, WorkloadKey
from local.hyperpod.clock import Clock
from local.kubernetes.errors import ApiError, ForbiddenError, InvalidError, JsonObject
from local.kueue import job_workloads
from local.kueue.job_workloads import priority_class_of, queue_of
from local.kueue.names import FLAVORS, JOBS, PRIORITY_CLASSES, WORKLOADS
from local.kueue.narration import JOBS as COMPONENT
from local.kueue.observing import store_key
from local.kueue.recorder import Recorder
from local.kueue.rules import is_finished, reserves_quota
from local.kueue.shelf import Shelf
from local.kueue.troubles import Troubles
from local.kueue.untrusted import controller, member


class JobKeeper:
    """Knows which workload belongs to which job. Callers hold the store's lock."""

    def __init__(self, shelf: Shelf, recorder: Recorder, troubles: Troubles, clock: Clock) -> None:
        self._shelf = shelf
        self._troubles = troubles
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
        kind, name, uid = controller(obj) or ("", "", "")
        if kind == "Job":
            job = store_key((key[0], name))
            self._owners[key] = job, uid
            self._workloads[job][uid] = key
            return job
        return known[0] if known else ""

    def all_jobs(self) -> Iterable[str]:
        """The keys of the jobs that have workloads, also of those that are gone."""
        return tuple(dict.fromkeys(job for job, _ in self._owners.values()))

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
            yield from self._update(job_key, job, workload)

    def look_at_class(self, name: str) -> Iterator[events.Event]:
        """Make the workloads that a priority class was missing for, and give others the priority that it has now.

        What the model has to hear that no workload says.
        """
        for job_key in list(self._without_class.pop(name, ())):
            with self._troubles.of(JOBS, job_key):
                yield from self.look(job_key)
        priority = self._priority(name)
        if priority is None:
            return
        reference = job_workloads.class_reference(name)
        for key, workload in list(self._shelf.all(WORKLOADS)):
            spec = member(workload, "spec")
            if all(spec.get(name) == value for name, value in reference.items()) and spec.get("priority") != priority:
                with self._troubles.of(WORKLOADS, key):
                    self._shelf.replace(WORKLOADS, {**workload, "spec": {**spec, "priority": priority}})

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
                self._stop(job, self._shelf.get(WORKLOADS, store_key(key)))
                return
        self._show_pods(job)

    def workloads_of(self, job_key: str) -> Iterable[WorkloadKey]:
        """The workloads of jobs of this name: one, but for the moment when a job has replaced another."""
        return tuple(self._workloads.get(job_key, {}).values())

    def job_of(self, key: WorkloadKey) -> JsonObject | None:
        """The job that a workload belongs to, if it is there."""
        job_key, uid = self._owners.get(key, ("", ""))
        job = self._shelf.get(JOBS, job_key) if job_key else None
        return job if job is not None and job["metadata"]["uid"] == uid else None

    def _make(self, job_key: str, job: JsonObject) -> None:
        """A job that names an unknown priority class gets no workload before there is one, and does not run."""
        if not job_workloads.is_suspended(job):
            job = self._stop(job, None)
            told = "Missing Workload; unable to restore pod templates"
            self._recorder.record(job, "Stopped", told, COMPONENT)
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

    def _update(self, job_key: str, job: JsonObject, workload: JsonObject) -> Iterator[events.Event]:
        """What may still change of a workload: its priority always, the rest before it has quota.

        One that cannot become what the job is by now goes, and another is made when that is heard of.
        """
        spec = dict(member(workload, "spec"))
        name = priority_class_of(job)
        priority = self._priority(name) if name else None
        if priority is not None:
            spec |= {"priority": priority, **job_workloads.class_reference(name)}
        elif name:
            self._without_class[name][job_key] = None
        if not reserves_quota(workload) and job_workloads.is_suspended(job):
            spec["queueName"] = queue_of(job)
            spec["podSets"] = job_workloads.pod_sets_of(job, indexed=self._shelf.has_new_version())
        elif spec.get("queueName") != queue_of(job) or job_workloads.has_other_pods(job, workload):
            yield self._discard(job, workload)
            return
        if spec != workload.get("spec"):
            try:
                self._shelf.replace(WORKLOADS, {**workload, "spec": spec})
            except (InvalidError, ForbiddenError) as refusal:
                self._recorder.record(job, "ErrWorkloadCompose", refusal.message, COMPONENT, "Warning")
                yield self._discard(job, workload)

    def _discard(self, job: JsonObject, workload: JsonObject) -> events.Event:
        """Stop a job and delete its workload, which does not match it; the model hears that at once."""
        if not job_workloads.is_suspended(job):
            job = self._stop(job, workload)
            told = "No matching Workload; restoring pod templates according to existent Workload"
            self._recorder.record(job, "Stopped", told, COMPONENT)
        key = workload["metadata"]["namespace"], workload["metadata"]["name"]
        self._delete(key)
        told = f"Deleted not matching Workload: {key[0]}/{key[1]}"
        self._recorder.record(job, "DeletedWorkload", told, COMPONENT)
        return events.Delete(key)

    def _stop(self, job: JsonObject, workload: JsonObject | None) -> JsonObject:
        """Suspend a job and give it the pods of its workload back, which a server takes of a suspended one alone."""
        job = self._show_pods(self._shelf.replace(JOBS, job_workloads.stopped(job)))
        return job if workload is None else self._shelf.replace(JOBS, job_workloads.restored(job, workload))

    def _show_pods(self, job: JsonObject) -> JsonObject:
        now = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = job_workloads.imagined_status(job, now)
        return job if status == job.get("status") else self._shelf.replace_status(JOBS, {**job, "status": status})

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
