"""The policy file, version 1: reading it safely, typed data, and messages with line and column."""

from governor.policy.alarms import borrowing_alarms, default_borrowing_alarm, readable_alarms
from governor.policy.diagnostics import Diagnostic, Diagnostics, Finding, Position, Severity, has_errors
from governor.policy.limits import SHAPES, Limits, Shape
from governor.policy.model import (
    DEFAULT_CLUSTER_POLICY_NAME,
    Addon,
    Alarms,
    BorrowingAlarm,
    ClusterPolicy,
    OnDelete,
    Policy,
    PriorityClass,
    Sharing,
    Team,
)
from governor.policy.parse import Parsed, parse_policy
from governor.policy.source import Bounds

__all__ = [
    "DEFAULT_CLUSTER_POLICY_NAME",
    "SHAPES",
    "Addon",
    "Alarms",
    "BorrowingAlarm",
    "Bounds",
    "ClusterPolicy",
    "Diagnostic",
    "Diagnostics",
    "Finding",
    "Limits",
    "OnDelete",
    "Parsed",
    "Policy",
    "Position",
    "PriorityClass",
    "Severity",
    "Shape",
    "Sharing",
    "Team",
    "borrowing_alarms",
    "default_borrowing_alarm",
    "has_errors",
    "parse_policy",
    "readable_alarms",
]
