"""No test sees a person's own AWS account, and hypothesis searches the same way every time.

A red run then means a change. ``HYPOTHESIS_PROFILE=search make test`` looks at random, and for longer.
"""

import os

from hypothesis import HealthCheck, settings

from local.environment import forget_aws_accounts

forget_aws_accounts()

_common = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("steady", max_examples=40, derandomize=True, print_blob=True, **_common)  # type: ignore[arg-type]
settings.register_profile("search", max_examples=1000, **_common)  # type: ignore[arg-type]
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
