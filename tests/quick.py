"""What a quick run leaves out besides the tests that are marked as slow themselves, and how to run all the same.

Of the algorithms that a test is parametrised with, a quick run takes one of each family. What differs between those of
a family is in one table and in cryptography, and the full run goes through all of it. Hypothesis tries fewer examples
with ``--hypothesis-profile quick``.

In any run the garbage collector waits until the thousands of tests are there, and leaves them alone from then on: to
look at them again and again took a quarter of the time.
"""

import gc
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from signer_core import Algorithm

#: One of each family.
FAMILIES = {Algorithm.ED25519, Algorithm.ECDSA_P256_SHA256, Algorithm.RSA_PSS_SHA256, Algorithm.ML_DSA_65}

# How long an example takes says more of what else the machine is at than of the code.
settings.register_profile("signer", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("signer"), max_examples=20)
settings.load_profile("signer")

gc.disable()  # until pytest_collection_finish


@pytest.hookimpl(tryfirst=True)  # before -m is applied
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark a test with another algorithm as slow, unless there is none with one of :data:`FAMILIES`."""
    by_test: defaultdict[tuple[object, str], dict[pytest.Function, bool]] = defaultdict(dict)
    for item in items:
        if isinstance(item, pytest.Function) and (algorithms := set(algorithms_of(item))):
            by_test[item.parent, item.originalname][item] = bool(algorithms & FAMILIES)
    for with_one_of_them in by_test.values():
        for item, is_taken in with_one_of_them.items():
            if not is_taken and any(with_one_of_them.values()):
                item.add_marker("slow")


def pytest_collection_finish() -> None:
    """Take what there is now, which stays to the end, out of the garbage collector's sight."""
    gc.collect()
    gc.freeze()
    gc.enable()


def algorithms_of(item: pytest.Function) -> Iterator[Algorithm]:
    """The algorithms among a test's parameters, and of what is made for one."""
    values: list[Any] = list(item.callspec.params.values()) if hasattr(item, "callspec") else []
    for value in values:
        for each in value if isinstance(value, tuple) else (value, getattr(value, "algorithm", None)):
            if isinstance(each, Algorithm):
                yield each
