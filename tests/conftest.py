"""How hypothesis searches: always the same way, so that a red run means a change; elsewhere when asked to.

``HYPOTHESIS_PROFILE=search make test`` looks at random, and for longer.
"""

import os

from hypothesis import HealthCheck, settings

_common = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("steady", max_examples=40, derandomize=True, print_blob=True, **_common)  # type: ignore[arg-type]
settings.register_profile("search", max_examples=1000, **_common)  # type: ignore[arg-type]
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
