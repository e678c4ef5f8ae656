"""The policy format as JSON Schema, from the same tables that reading uses."""

from governor.policy.fields import POLICY
from governor.policy.limits import Limits
from governor.policy.reading import JsonSchema


def policy_schema(limits: Limits) -> JsonSchema:
    """JSON Schema, draft 2020-12. What spans several values (duplicates, sums) is left to ``validate``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "HyperPod Governor policy, version 1",
        "description": "Everything declared for one HyperPod cluster: its cluster policy and its teams.",
        **POLICY.schema(limits),
    }
