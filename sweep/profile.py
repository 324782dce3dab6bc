"""A pytest plugin: the profile ``sweep`` of Hypothesis, with as many examples as ``SWEEP_EXAMPLES`` says."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "sweep",
    deadline=None,
    max_examples=int(os.environ.get("SWEEP_EXAMPLES", "100")),
    suppress_health_check=[HealthCheck.too_slow],
)
