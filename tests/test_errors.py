"""The tree of errors; that it is the design's is in tests/contract."""

import copy
import pickle

import pytest

from signer_core import errors
from signer_core.errors import (
    BackendNotFoundError,
    BackendUnavailableError,
    ConfigError,
    DeadlineExceededError,
    MessageTooLargeError,
    SignerError,
    SignError,
)

ALL = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, SignerError)]


def test_text_is_the_message_alone_without_a_remedy() -> None:
    assert str(ConfigError("it is wrong")) == "it is wrong"


def test_text_has_the_remedy_after_the_message() -> None:
    assert str(ConfigError("it is wrong", remedy="mend it")) == "it is wrong; mend it"


def test_text_of_an_error_that_is_an_os_error_too() -> None:
    assert str(DeadlineExceededError("too late", remedy="hurry")) == "too late; hurry"


def test_retryable_of_one_error_goes_before_its_class() -> None:
    assert SignError("x", retryable=True).retryable is True
    assert BackendUnavailableError("x", retryable=False).retryable is False
    assert SignError("x").retryable is False


@pytest.mark.parametrize("kind", ALL)
def test_pickle_keeps_message_remedy_and_notes(kind: type[SignerError]) -> None:
    error = kind("wrong", remedy="mend it")
    error.add_note("noted")

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is kind
    assert vars(again) == vars(error)
    assert str(again) == "wrong; mend it"
    assert again.__notes__ == ["noted"]


@pytest.mark.parametrize("kind", [each for each in ALL if issubclass(each, SignError)])
def test_pickle_keeps_what_the_instance_says_of_retries(kind: type[SignError]) -> None:
    if kind is MessageTooLargeError:
        error: SignError = MessageTooLargeError("big", limit=3, size=4)
    else:
        error = kind("wrong", retryable=True, retry_after=1.5)

    again = pickle.loads(pickle.dumps(error))

    assert vars(again) == vars(error)
    assert again.retryable == error.retryable


def test_pickle_keeps_the_installed_backends() -> None:
    error = pickle.loads(pickle.dumps(BackendNotFoundError("none", installed=("file", "noop"))))
    assert error.installed == ("file", "noop")


def test_copy_is_the_same_error() -> None:
    error = copy.copy(MessageTooLargeError("big", remedy="cut it", limit=3, size=4))
    assert (str(error), error.limit, error.size) == ("big; cut it", 3, 4)
