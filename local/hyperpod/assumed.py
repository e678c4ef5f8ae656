"""What the local control plane assumes of the service's Kubernetes objects, because nothing that was read says it.

The cohort is called as in the recorded scenarios. Covered resources are those that a real queue was seen to list.
What is disabled takes no new jobs and keeps its running ones. Sixteen flavors are the most that a resource group of
Kueue's older releases takes.
"""

from local.hyperpod.kueue_objects import Conventions

ASSUMED = Conventions(
    cohort="hyperpod",
    covered=("aws.amazon.com/neurondevice", "cpu", "memory", "nvidia.com/gpu", "vpc.amazonaws.com/efa"),
    reclaim_within_cohort="Any",
    borrow_within_cohort="Never",
    when_can_borrow="MayStopSearch",
    when_can_preempt="TryNextFlavor",
    queueing_strategy="BestEffortFIFO",
    disabled_stop_policy="Hold",
    idle_flavors=16,
)
