"""The tree of errors is the design's."""

import builtins
import inspect
import pickle
import re

import pytest

from signer_core import errors
from signer_core.errors import SignerError

TREE = """
SignerError
├── ConfigError (ValueError)
├── PluginError
│   ├── BackendNotFoundError (LookupError)
│   ├── BackendConflictError
│   └── PluginContractError
├── KeyNotFoundError (LookupError)
├── KeyExistsError
├── KeyFormatError (ValueError)
├── WrongPassphraseError
├── KeyMismatchError
├── UnsupportedAlgorithmError
├── InvalidSignatureError
├── SignerClosedError
└── SignError
    ├── MessageTooLargeError (ValueError)
    ├── PolicyViolationError (PermissionError)
    ├── ExtensionError
    ├── AccessDeniedError (PermissionError)
    ├── KeyUnavailableError
    ├── BackendUnavailableError
    ├── DeadlineExceededError (TimeoutError)
    ├── SignCancelledError
    └── SignatureVerificationError
"""

ALL = [each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, SignerError)]
RETRYABLE = {"BackendUnavailableError", "DeadlineExceededError"}


def rows(text: str) -> list[tuple[int, str, str | None]]:
    """Depth, name and builtin of each row of a tree."""
    found = re.findall(r"^([ │├└─]*)(\w+Error)\b(?: \((\w+)\))?", text, re.MULTILINE)
    first = len(found[0][0])
    return [((len(branch) - first) // 4, name, builtin or None) for branch, name, builtin in found]


def expected() -> dict[str, tuple[str | None, str | None]]:
    """For each error its parent and its builtin."""
    path: list[str] = []
    found: dict[str, tuple[str | None, str | None]] = {}
    for depth, name, builtin in rows(TREE):
        del path[depth:]
        found[name] = (path[-1] if path else None, builtin)
        path.append(name)
    return found


def test_errors_are_those_of_the_tree() -> None:
    assert {each.__name__ for each in ALL} == set(expected())
    assert len(expected()) == 24


@pytest.mark.parametrize("error", ALL)
def test_parent_and_builtin(error: type[SignerError]) -> None:
    parent, builtin = expected()[error.__name__]
    bases = [each.__name__ for each in error.__bases__]
    if parent is None:
        assert bases == ["Exception"]
    else:
        assert bases == [each for each in (parent, builtin) if each]
    assert builtin is None or issubclass(error, getattr(builtins, builtin))


def test_docstring_draws_the_same_tree() -> None:
    text = inspect.getdoc(errors) or ""
    assert rows(text) == rows(TREE)


def test_codes_are_unique_and_follow_from_the_names() -> None:
    for error in ALL:
        words = re.findall("[A-Z][a-z]+", error.__name__.removesuffix("Error"))
        assert error.code == "-".join(words).lower()
    assert len({error.code for error in ALL}) == len(ALL)


@pytest.mark.parametrize("error", ALL)
def test_retryable(error: type[SignerError]) -> None:
    assert error.retryable is (error.__name__ in RETRYABLE)
    assert error("x").retryable is (error.__name__ in RETRYABLE)


@pytest.mark.parametrize("error", ALL)
def test_pickle(error: type[SignerError]) -> None:
    made = error("what is wrong", remedy="what to do")
    again = pickle.loads(pickle.dumps(made))
    assert (type(again), str(again), vars(again)) == (error, "what is wrong; what to do", vars(made))


@pytest.mark.parametrize("error", ALL)
def test_each_error_says_what_it_means(error: type[SignerError]) -> None:
    assert error.__doc__
