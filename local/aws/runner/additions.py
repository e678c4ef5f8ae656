"""The additions by name, in the order they are applied. Each can be left out, to see whether it is still needed.

A later one stands around an earlier one: faults outermost.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from local.aws.runner import (
    alarm_contributors,
    alarm_events,
    alarm_messages,
    alarm_queries,
    alarms,
    conditions,
    eks_access,
    eks_addons,
    eks_arns,
    eks_clusters,
    eks_updates,
    encryption,
    event_faults,
    invocations,
    mappings,
    metrics,
    resources,
    roles,
    s3_events,
    s3_rules,
    service_calls,
    stacks,
    targets,
    workers,
)
from local.aws.runner.decisions import record_decisions
from local.aws.runner.settings import RunnerSettings

Addition = Callable[[RunnerSettings], None]

ADDITIONS: Mapping[str, Addition] = MappingProxyType(
    {
        "s3-event-details": s3_events.add_details,
        "s3-marker-events": s3_rules.tell_of_every_marker,
        "s3-hidden-keys": s3_rules.hide_missing_keys,
        "s3-conditional-copies": s3_rules.copy_conditionally,
        "s3-conditional-reads": s3_rules.read_for_conditional_writes,
        "s3-tagged-writes": s3_rules.tag_with_permission,
        "clean-workers": workers.use_clean_interpreter,
        "shared-unpacking": workers.unpack_once,
        "loopback-is-tls": conditions.take_loopback_for_tls,
        "condition-keys": conditions.add_condition_keys,
        "resource-arns": resources.name_resources_as_aws_does,
        "decisions": record_decisions,
        "role-permissions": roles.ask_roles,
        "parallel-groups": mappings.let_groups_run_in_parallel,
        "no-backoff": mappings.let_failures_hold_up_nobody,
        "event-targets": targets.deliver_as_aws_does,
        "embedded-metrics": metrics.read_metrics_from_logs,
        "lambda-metrics": metrics.count_invocations,
        "alarm-queries": alarm_queries.accept_queries,
        "alarm-contributors": alarm_contributors.describe_contributors,
        "alarm-actions": alarm_messages.tell_topics,
        "alarm-events": alarm_events.tell_eventbridge,
        "alarms": alarms.evaluate_as_time_passes,
        "full-buckets": stacks.keep_full_buckets,
        "string-variables": stacks.give_functions_strings,
        "boundaries": stacks.set_boundaries,
        "async-queue": invocations.queue_asynchronous_invocations,
        "eks-clusters": eks_clusters.put_kubernetes_behind,
        "eks-updates": eks_updates.tell_of_updates,
        "eks-addons": eks_addons.install_addons,
        "eks-access": eks_access.grant_what_policies_say,
        "eks-tags": eks_arns.ask_about_tags,
        "encryption": encryption.ask_about_keys,
        "event-faults": event_faults.add_event_faults,
        "worker-faults": workers.add_worker_faults,
        "service-faults": service_calls.add_faults,
    }
)


def apply(settings: RunnerSettings) -> None:
    unknown = set(settings.without) - ADDITIONS.keys()
    if unknown:
        raise ValueError(f"There is no addition {', '.join(sorted(unknown))}.")
    for name, add in ADDITIONS.items():
        if name not in settings.without:
            add(settings)
