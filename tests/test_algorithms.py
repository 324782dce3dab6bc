from signer_core import Algorithm
from signer_core.algorithms import FACTS


def test_each_algorithm_has_its_facts_and_no_other_has() -> None:
    assert set(FACTS) == set(Algorithm)


def test_algorithm_is_its_name() -> None:
    assert str(Algorithm.ED25519) == "ed25519"
    assert Algorithm("ed25519") is Algorithm.ED25519


def test_ed25519_is_deterministic() -> None:
    assert FACTS[Algorithm.ED25519].deterministic is True
