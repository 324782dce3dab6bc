"""The extension example does what every extension must do, and what only it does."""

import logging
from typing import Any

import pytest
from signer_core import Signer
from signer_core.errors import PolicyViolationError
from signer_core.testing import ExtensionConformance, RecordingKey

import signer_example
from signer_example import policy


class TestConformance(ExtensionConformance):
    """All that signer-core promises of every extension."""

    @pytest.fixture
    def config(self) -> dict[str, dict[str, object]]:
        return {"example": {"max_bytes": 100, "forbidden": ["secret"]}}

    @pytest.fixture(params=[b"a secret", b"m" * 101])
    def refused_message(self, request: pytest.FixtureRequest) -> bytes:
        message: bytes = request.param
        return message


def watched(**options: Any) -> Signer:
    config = signer_example.ExampleConfig(**options)
    attached = {"example": policy.ExamplePolicy(config)}
    return Signer(RecordingKey(), extensions=attached)


@pytest.mark.parametrize("message", [b"", b"m" * 100])
def test_messages_up_to_the_limit_are_signed(message: bytes) -> None:
    with watched(max_bytes=100) as signer:
        signer.public_key.verify(signer.sign(message), message)


def test_refusal_names_the_extension_and_the_limit() -> None:
    refusal = r"'example' refused: .* 101 bytes, and at most 100 are signed"
    with watched(max_bytes=100) as signer, pytest.raises(PolicyViolationError, match=refusal):
        signer.sign(b"m" * 101)


def test_limit_below_0_is_refused() -> None:
    with pytest.raises(ValueError, match="max_bytes"):
        signer_example.ExampleConfig(max_bytes=-1)


def test_outcomes_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), watched(forbidden=("secret",)) as signer:
        signer.sign_many([b"message"] * 3)
        with pytest.raises(PolicyViolationError):
            signer.sign(b"a secret")
    assert caplog.messages == ["outcomes: {'signed': 3, 'PolicyViolationError': 1}"]
