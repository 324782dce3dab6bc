"""Extensions as they come: installed for real, and listed by a configuration."""

import importlib
import pickle
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from signer_core import Secret, Signer, create_signer, init_signer
from signer_core.errors import (
    BackendConflictError,
    BackendNotFoundError,
    ConfigError,
    ExtensionError,
    KeyMismatchError,
    KeyNotFoundError,
    PluginContractError,
    PluginError,
    PolicyViolationError,
    SignCancelledError,
)
from signer_core.installed import installed_plugins
from tests.conftest import Install
from tests.keys import SEED, assert_hides

NOOP = {"backend": "noop", "seed": SEED.hex()}
GROUP = "signer_core.extensions"

#: An extension that writes down what happens to it, in a list of its module.
RECORDING = """
LOG = []

@attrs.frozen(kw_only=True)
class Config:
    word: str = "word"
    place: Path = Path("place")
    token: Secret | None = attrs.field(default=None, repr=False)

class Recording:
    def __init__(self, config):
        self.config = config

    @hookimpl
    def signer_before_sign(self, event):
        LOG.append(("before", self.config.word))

    @hookimpl
    def signer_after_sign(self, event, signature, error):
        LOG.append(("after", self.config.word))

    def close(self):
        LOG.append(("close", self.config.word))

@hookimpl
def signer_extension():
    return Extension(contract=1, config_class=Config)

@hookimpl
def signer_attach(config):
    LOG.append(("attach", config.word))
    return Recording(config)
"""
IMPORTS = "from pathlib import Path\n"


def add(install: Install, name: str = "recording", source: str = RECORDING, **options: Any) -> Any:
    """Install the extension; what this gives then gives the list ``LOG`` of its module."""
    module = f"throwaway_extension_{name}"
    install(f"signer-{name}", IMPORTS + source, name=name, group=GROUP, module=module, **options)
    return lambda: importlib.import_module(module).LOG


def opened(**extensions: Any) -> Signer:
    return create_signer({**NOOP, "extensions": extensions})


# --- configuration ---------------------------------------------------------------------------------------------------


def test_extensions_are_attached_in_the_order_of_the_mapping(install: Install) -> None:
    add(install, "b", RECORDING.replace("LOG = []", "LOG = []"))
    add(install, "a", "from throwaway_extension_b import LOG\n" + RECORDING.replace("LOG = []", ""))
    with opened(b={"word": "first"}, a={"word": "second"}) as signer:
        signer.sign(b"x")
    assert [
        *(("attach", "first"), ("attach", "second"), ("before", "first"), ("before", "second")),
        *(("after", "second"), ("after", "first"), ("close", "second"), ("close", "first")),
    ] == sys.modules["throwaway_extension_b"].LOG


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("signer.toml", '[signer]\nbackend = "noop"\n[signer.extensions.recording]\nplace = "here"\nword = "w"\n'),
        ("signer.yaml", "signer:\n  backend: noop\n  extensions:\n    recording: {place: here, word: w}\n"),
    ],
)
def test_options_of_an_extension_stand_in_a_table_of_the_file(
    name: str, text: str, install: Install, tmp_path: Path, clean_environment: pytest.MonkeyPatch
) -> None:
    source = RECORDING.replace('("attach", config.word)', '("attach", config.word, config.place)')
    log = add(install, source=source)
    (tmp_path / name).write_text(text)
    clean_environment.setenv("SIGNER_EXTENSIONS", "{}")
    clean_environment.setenv("SIGNER_WORD", "another")
    create_signer(tmp_path / name).close()
    assert log() == [("attach", "w", tmp_path / "here"), ("close", "w")]


@pytest.mark.parametrize("needs_message", [None, True, False])
def test_an_extension_says_in_its_description_that_it_can_do_without_the_message(
    needs_message: bool | None, install: Install
) -> None:
    says = "" if needs_message is None else f", needs_message={needs_message}"
    log = add(install, source=RECORDING.replace("config_class=Config", f"config_class=Config{says}"))
    digest = bytes(32)
    config = {"backend": "noop", "algorithm": "ecdsa-p256-sha256", "extensions": {"recording": {}}}
    with create_signer(config) as signer:
        if needs_message is False:
            signer.public_key.verify_digest(signer.sign_digest(digest), digest)
        else:
            with pytest.raises(PolicyViolationError, match="extension 'recording' refused: it judges by the message"):
                signer.sign_digest(digest)
    asked = [("before", "word"), ("after", "word")] if needs_message is False else []
    assert log() == [("attach", "word"), *asked, ("close", "word")]


def test_a_signer_of_many_has_extensions_of_its_own(install: Install, tmp_path: Path) -> None:
    log = add(install)
    (tmp_path / "signers.toml").write_text(
        '[signers.a]\nbackend = "noop"\n[signers.a.extensions.recording]\nword = 1\n[signers.b]\nbackend = "noop"\n'
    )
    create_signer(tmp_path / "signers.toml", name="b").close()
    with pytest.raises(ConfigError, match=r"option 'word' in .*signers\.toml \[signers\.a\.extensions\.recording\]"):
        create_signer(tmp_path / "signers.toml", name="a")
    assert log() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wrod": "x"}, "extension 'recording' has no option 'wrod' ({}); did you mean 'word'?"),
        ({"word": 1}, "option 'word' in {} is not right; write a text"),
        ({"token": "hunter2"}, "option 'token' in {} is not right"),
        (None, "{} is not a table of options"),
    ],
)
def test_options_that_are_not_right_are_found_before_anything_is_attached(
    options: object, message: str, install: Install
) -> None:
    first = add(install, "first")
    add(install)
    with pytest.raises(ConfigError) as caught:
        opened(first={}, recording=options)
    assert str(caught.value).startswith(message.format("the configuration [signer.extensions.recording]"))
    assert first() == []
    assert_hides("hunter2", caught.value)


def test_option_that_is_missing(install: Install) -> None:
    add(install, source=RECORDING.replace('word: str = "word"', "word: str"))
    with pytest.raises(ConfigError, match=r"^option 'word' is missing in .* \[signer\.extensions\.recording\]; add it"):
        opened(recording={})


def test_an_extension_may_name_its_options_as_the_core_does(install: Install) -> None:
    add(install, source=RECORDING.replace('word: str = "word"', 'word: str = "word"\n    timeout: float = 1.0'))
    opened(recording={"timeout": 2.0}).close()
    [found] = [each for each in installed_plugins(load=True) if each.name == "recording"]
    assert found.error is None


def test_an_extension_that_is_not_listed_is_not_imported(install: Install) -> None:
    add(install, source="raise AssertionError")
    create_signer(NOOP).close()
    assert "throwaway_extension_recording" not in sys.modules


# --- what is installed -----------------------------------------------------------------------------------------------


def test_an_extension_that_is_not_installed_is_an_error_and_no_silent_absence(install: Install) -> None:
    add(install)
    with pytest.raises(PluginError) as caught:
        opened(recordin={})
    text = str(caught.value)
    assert text.startswith("no extension 'recordin' is installed (installed: ")
    assert text.endswith("; did you mean 'recording'? If not: pip install signer-recordin")
    assert "recording" in text.partition(")")[0]
    assert not isinstance(caught.value, BackendNotFoundError)


def test_a_backend_is_no_extension() -> None:
    with pytest.raises(PluginError, match="no extension 'file' is installed"):
        opened(file={})


def test_an_extension_that_two_claim_is_an_error_that_names_both(install: Install) -> None:
    install("signer-one", "raise AssertionError", name="policy", group=GROUP, directory="one")
    install("signer-two", "raise AssertionError", name="policy", group=GROUP, directory="two")
    with pytest.raises(PluginError, match=r"extension 'policy' is claimed more than once: .*signer-") as caught:
        opened(policy={})
    assert "signer-one 1.0 in " in str(caught.value)
    assert "signer-two 1.0 in " in str(caught.value)
    assert not isinstance(caught.value, BackendConflictError)


def test_two_copies_of_one_extension_are_an_error_that_names_both(install: Install) -> None:
    for directory in ("one", "two"):
        install("signer-policy", "raise AssertionError", name="policy", group=GROUP, directory=directory)
    with pytest.raises(PluginError, match="claimed more than once") as caught:
        opened(policy={})
    assert str(caught.value).count("signer-policy 1.0 in ") == 2


BROKEN = [
    ("raise ImportError('no libpolicy')", "raised ImportError: no libpolicy"),
    ("raise SystemExit(3)", "raised SystemExit: 3"),
    ("x = 1", "it lacks the hook signer_extension or signer_attach"),
    (RECORDING.replace("def signer_attach", "def signer_atach"), "unknown hook 'signer_atach'"),
    (RECORDING.replace("@hookimpl\ndef signer_attach", "def signer_attach"), "signer_attach lacks the mark hookimpl"),
    (RECORDING.replace("def signer_attach(config)", "def signer_attach(config, key)"), "key"),
    (RECORDING.replace("def signer_attach", "async def signer_attach"), "is a coroutine function"),
    (RECORDING.replace("contract=1", "contract=0"), "written for version 0 of the contract, not 1"),
    (RECORDING.replace("return Extension(contract=1, config_class=Config)", "return 1"), "returned int instead of"),
    (RECORDING.replace("return Extension(contract=1, config_class=Config)", "1 / 0"), "raised ZeroDivisionError"),
    (RECORDING.replace("config_class=Config", "config_class=dict"), "configuration class"),
    (RECORDING.replace("config_class=Config", "config_class=Config, needs_message=1"), "needs_message must be True or"),
]
HOOK = "\n\n@hookimpl\ndef {}():\n    pass\n"
BROKEN += [
    (
        RECORDING + HOOK.format("signer_before_sign"),
        "unknown hook 'signer_before_sign', which belongs to the object that signer_attach returns;",
    ),
    (
        RECORDING + HOOK.format("signer_open"),
        "unknown hook 'signer_open', which belongs to a backend, in a module of its",
    ),
]
BROKEN_WHEN_ATTACHED = [
    (RECORDING.replace("return Recording(config)", "return None"), "attaches None instead of an object"),
    (RECORDING.replace("return Recording(config)", "return Recording"), "Recording'> instead of an object"),
    (RECORDING.replace("return Recording(config)", "return config"), "has neither signer_before_sign nor"),
    (RECORDING.replace("return Recording(config)", "raise OSError('hunter2')"), "signer_attach raised OSError"),
    (RECORDING.replace("def signer_after_sign", "def signer_aftersign"), "unknown hook 'signer_aftersign'"),
    (RECORDING.replace("    @hookimpl\n    def signer_b", "    @hookimpl(trylast=True)\n    def signer_b"), "trylast"),
    (RECORDING.replace("    def signer_b", "    async def signer_b"), "is a coroutine function"),
]


@pytest.mark.parametrize(("source", "reason"), [*BROKEN, *BROKEN_WHEN_ATTACHED])
def test_a_broken_extension_is_named_with_its_distribution(source: str, reason: str, install: Install) -> None:
    assert source != RECORDING
    add(install, "policy", source)
    with pytest.raises(PluginContractError) as caught:
        opened(policy={})
    assert str(caught.value).startswith("the plugin of extension 'policy', signer-policy 1.0, is broken: ")
    assert str(caught.value).endswith("; upgrade or uninstall signer-policy, or tell its author")
    assert reason in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("source", "reason"), BROKEN)
def test_a_broken_extension_is_shown_as_broken_and_hides_no_other(source: str, reason: str, install: Install) -> None:
    add(install, "policy", source)
    add(install)
    found = {each.name: each for each in installed_plugins(load=True)}
    assert reason in (found["policy"].error or "")
    assert (found["recording"].error, found["noop"].error) == (None, None)
    assert (found["policy"].kind, found["policy"].distribution) == ("extension", "signer-policy")


@pytest.mark.parametrize("hook", ["before", "after"])
def test_an_extension_that_breaks_the_contract_while_signing_is_named_with_its_distribution(
    hook: str, install: Install
) -> None:
    add(install, "policy", RECORDING.replace(f'LOG.append(("{hook}", self.config.word))', "return False"))
    with opened(policy={}) as signer, pytest.raises(PluginContractError) as caught:
        signer.sign(b"x")
    assert str(caught.value).startswith(
        "the plugin of extension 'policy', signer-policy 1.0, is broken: "
        f"signer_{hook}_sign returned bool instead of None"
    )


# --- attaching -------------------------------------------------------------------------------------------------------

FAILING = RECORDING.replace("return Recording(config)", "raise ExtensionError('the log cannot be written')")


def test_where_one_cannot_be_attached_the_others_are_closed_and_no_key_is_made(
    install: Install, tmp_path: Path
) -> None:
    log = add(install)
    add(install, "failing", FAILING)
    config = {"backend": "file", "path": str(tmp_path / "keys"), "passphrase": Secret(b"open sesame")}
    with pytest.raises(ExtensionError, match=r"^the log cannot be written$"):
        init_signer({**config, "extensions": {"recording": {}, "failing": {}}})
    assert log() == [("attach", "word"), ("close", "word")]
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"backend": "file", "path": "absent", "passphrase": Secret(b"open sesame")}, KeyNotFoundError),
        ({**NOOP, "expected_address": "00" * 32}, KeyMismatchError),
    ],
)
def test_where_the_key_cannot_be_opened_the_extensions_are_closed(
    options: dict[str, Any], error: type[Exception], install: Install
) -> None:
    log = add(install)
    with pytest.raises(error):
        create_signer({**options, "extensions": {"recording": {}}})
    assert log() == [("attach", "word"), ("close", "word")]


def test_where_the_configuration_is_wrong_nothing_is_attached(install: Install) -> None:
    add(install)
    for wrong in ({"colour": "red"}, {"timeout": 0}, {"trusted": "signer-other"}):
        with pytest.raises((ConfigError, PluginError)):
            create_signer({**NOOP, "extensions": {"recording": {}}, **wrong})
    assert "throwaway_extension_recording" not in sys.modules


def test_an_opening_that_is_cancelled_while_extensions_are_attached_opens_no_key(install: Install) -> None:
    cancel = threading.Event()
    log = add(
        install, source=RECORDING.replace("    return Recording", "    config.token.reveal()\n    return Recording")
    )

    def token() -> bytes:
        cancel.set()
        return b""

    with pytest.raises(SignCancelledError):
        create_signer({**NOOP, "extensions": {"recording": {"token": token}}}, cancel=cancel)
    assert log() == [("attach", "word"), ("close", "word")]


def test_a_failure_to_close_while_opening_fails_does_not_hide_why(install: Install) -> None:
    add(install, source=RECORDING.replace('LOG.append(("close", self.config.word))', "1 / 0"))
    with pytest.raises(KeyMismatchError):
        create_signer({**NOOP, "expected_address": "00" * 32, "extensions": {"recording": {}}})


# --- pickles ---------------------------------------------------------------------------------------------------------

TELLING = RECORDING.replace(
    'LOG.append(("before", self.config.word))',
    "raise PolicyViolationError(f'{self.config.place} {self.config.token.reveal()}')",
)


def test_a_pickle_has_the_extensions_with_absolute_paths_and_references(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(install, "telling", TELLING)
    log = add(install)
    (tmp_path / "token").write_text("hunter2")
    (tmp_path / "signer.toml").write_text(
        f'[signer]\nbackend = "noop"\nseed = "{SEED.hex()}"\n[signer.extensions.recording]\n'
        '[signer.extensions.telling]\ntoken = "file:token"\n'
    )
    pickled = pickle.dumps(create_signer(tmp_path / "signer.toml"))
    assert b"hunter2" not in pickled
    monkeypatch.chdir("/")
    text = rf"^extension 'telling' refused: {tmp_path}/place b'hunter2'$"
    with pickle.loads(pickled) as signer, pytest.raises(PolicyViolationError, match=text):
        signer.sign(b"x")
    with pytest.raises(PolicyViolationError, match=text):
        pickle.loads(pickle.dumps(signer)).sign(b"x")
    assert log()[-3:] == [("attach", "word"), ("before", "word"), ("after", "word")]


@pytest.mark.parametrize("token", [Secret(b"hunter2"), b"hunter2".upper], ids=["literal", "callable"])
def test_a_pickle_of_a_secret_that_is_no_reference_is_refused(token: Any, install: Install) -> None:
    add(install)
    with (
        opened(recording={"token": token}) as signer,
        pytest.raises(TypeError, match="secret is not pickled") as caught,
    ):
        pickle.dumps(signer)
    assert_hides("hunter2", caught.value)


def test_a_pickle_does_not_open_without_its_extensions(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    add(install)
    pickled = pickle.dumps(opened(recording={}))
    monkeypatch.setattr(sys, "path", [each for each in sys.path if not each.endswith("/site")])
    with pytest.raises(PluginError, match="no extension 'recording' is installed"):
        pickle.loads(pickled)
