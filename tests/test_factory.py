"""create_signer, init_signer, create_signer_async, and what pickles of their signers open."""

import asyncio
import contextlib
import logging
import math
import multiprocessing
import pickle
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from signer_core import Secret, Signer, create_signer, create_signer_async, init_signer
from signer_core.errors import (
    BackendUnavailableError,
    ConfigError,
    DeadlineExceededError,
    KeyMismatchError,
    KeyNotFoundError,
    PluginContractError,
    PluginError,
    SignatureVerificationError,
    SignCancelledError,
)
from tests.conftest import WORKING, Install
from tests.keys import OTHER_SEED, PATIENCE, SEED, Ed25519Key, assert_hides, until
from tests.strategies import tables

NOOP = {"backend": "noop", "seed": SEED.hex()}
KEY = Ed25519Key().public_key
OTHER = Ed25519Key(OTHER_SEED).public_key


@pytest.fixture(autouse=True)
def _environment(clean_environment: pytest.MonkeyPatch) -> None:
    pass


def module_of(install: Install, source: str, **options: Any) -> Any:
    """The module of a plugin that was installed, once a signer of it was opened."""
    name = f"throwaway_of_factory_{id(source)}"
    install(source=source, module=name, **options)
    return lambda: sys.modules[name]


def test_create_signer_out_of_a_mapping() -> None:
    with create_signer(NOOP, name="mine") as signer:
        assert (signer.backend, signer.name, signer.public_key) == ("noop", "mine", KEY)
        assert signer.sign(b"abc") == Ed25519Key().private_key.sign(b"abc")


def test_create_signer_out_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "signer.toml"
    path.write_text(f'[signers.a]\nbackend = "noop"\nseed = "{SEED.hex()}"')
    with create_signer(path, name="a") as signer:
        assert (signer.name, signer.public_key) == ("a", KEY)


@given(tables)
def test_any_mapping_becomes_a_signer_or_an_error_of_the_library_s(table: dict[Any, Any]) -> None:
    pinned = table.keys() & {"trusted", "expected_address", "expected_public_key"}
    allowed = (ConfigError, PluginError, KeyMismatchError) if pinned else (ConfigError,)
    try:
        signer = create_signer({**table, "backend": "noop"})
    except allowed:
        return
    signer.public_key.verify(signer.sign(b"abc"), b"abc")
    signer.close()


def test_options_reach_the_key(install: Install) -> None:
    source = """
    @attrs.frozen(kw_only=True)
    class Config:
        seed: str
        place: Path = Path("x")

    @hookimpl
    def signer_backend():
        return Backend(contract=1, config_class=Config, default_timeout=10, default_attempt_timeout=3, remote=True)

    @hookimpl
    def signer_open(config, deadline):
        KEYS.append((config, deadline, Ed25519Key(bytes.fromhex(config.seed))))
        return KEYS[-1][2]

    KEYS = []
    """
    module = module_of(install, source)
    with create_signer({"backend": "throwaway", "seed": SEED.hex(), "place": "keys"}) as signer:
        config, deadline, key = module().KEYS[0]
        signer.sign(b"")
        assert (config.seed, config.place) == (SEED.hex(), Path.cwd() / "keys")
        assert deadline.seconds == 3
        assert key.deadlines[0].seconds == 3


def test_options_of_the_core_go_before_the_backend_s_defaults(install: Install) -> None:
    source = WORKING.replace("config_class=Config)", "config_class=Config, default_timeout=10)").replace(
        "return Ed25519Key()", "KEYS.append(Ed25519Key())\n    return KEYS[0]"
    )
    module = module_of(install, f"KEYS = []\n{source}")
    with create_signer({"backend": "throwaway", "timeout": "2s"}) as signer:
        signer.sign(b"", timeout=math.inf)
        signer.sign(b"")
    assert [each.seconds for each in module().KEYS[0].deadlines] == [None, 2]


WRONG = WORKING.replace("return Ed25519Key()", 'return ScriptedKey([b"wrong"])')


@pytest.mark.parametrize(
    ("remote", "verify", "verified"),
    [(True, None, True), (False, None, False), (False, True, True), (True, False, False)],
)
def test_signatures_of_remote_backends_are_verified_unless_told_otherwise(
    install: Install, remote: bool, verify: bool | None, verified: bool
) -> None:
    install(source=WRONG.replace("config_class=Config)", f"config_class=Config, remote={remote})"))
    with create_signer({"backend": "throwaway", "verify": verify}) as signer:
        outcome = pytest.raises(SignatureVerificationError) if verified else contextlib.nullcontext()
        with outcome:
            assert signer.sign(b"") == b"wrong"


def test_pins_of_the_configuration() -> None:
    for pin in (
        {"expected_address": KEY.address.hex()},
        {"expected_address": KEY.address.hex().upper()},
        {"expected_public_key": KEY.raw.hex()},
        {"expected_public_key": "0x" + KEY.to_der().hex()},
    ):
        create_signer({**NOOP, **pin}).close()
    for pin in ({"expected_address": OTHER.address.hex()}, {"expected_public_key": OTHER.raw.hex()}):
        with pytest.raises(KeyMismatchError):
            create_signer({**NOOP, **pin})


REMEMBERING = WORKING.replace("return Ed25519Key()", "KEYS.append(Ed25519Key())\n    return KEYS[-1]")


def test_key_that_was_not_pinned_is_closed(install: Install) -> None:
    module = module_of(install, f"KEYS = []\n{REMEMBERING}")
    with pytest.raises(KeyMismatchError):
        create_signer({"backend": "throwaway", "expected_address": OTHER.address.hex()})
    assert module().KEYS[0].closed == 1


def test_key_that_fails_to_close_does_not_hide_why_it_was_refused(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    source = """
    class Stuck(Ed25519Key):
        def close(self):
            raise OSError("hunter2")
    """ + WORKING.replace("Ed25519Key()", "Stuck()").replace("\n", "\n    ")
    install(source=source)
    with pytest.raises(KeyMismatchError):
        create_signer({"backend": "throwaway", "expected_address": OTHER.address.hex()})
    assert [each.getMessage().rpartition(".")[2] for each in caplog.records] == ["Stuck failed to close: OSError"]


def test_key_whose_properties_break_is_a_broken_contract(install: Install) -> None:
    source = """
    class Broken(Ed25519Key):
        @property
        def key_id(self):
            raise LookupError("hunter2")
    """ + WORKING.replace("Ed25519Key()", "Broken()").replace("\n", "\n    ")
    install(source=source)
    with pytest.raises(PluginContractError, match=r"Broken\.key_id raised LookupError"):
        create_signer({"backend": "throwaway"})


def test_protected_variables_are_logged_when_a_signer_is_opened(
    tmp_path: Path, clean_environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "signer.toml"
    path.write_text(f'[signer]\nbackend = "noop"\nexpected_address = "{KEY.address.hex()}"\nseed = "{SEED.hex()}"')
    clean_environment.setenv("SIGNER_EXPECTED_ADDRESS", OTHER.address.hex())
    with caplog.at_level(logging.WARNING, "signer_core"):
        create_signer(path).close()
    assert f"SIGNER_EXPECTED_ADDRESS: ignored, this is set in {path} [signer] only" in caplog.messages


# --- init_signer -----------------------------------------------------------------------------------------------------

MAKING = """
MADE = []

@hookimpl
def signer_backend():
    return Backend(contract=1, config_class=Config)

@hookimpl
def signer_open(config):
    if not MADE:
        raise KeyNotFoundError("there is no key")
    return Ed25519Key()

@hookimpl
def signer_init(config):
    MADE.append("key")
    return Ed25519Key()
"""


def test_init_signer_makes_the_key(install: Install) -> None:
    module = module_of(install, MAKING)
    with pytest.raises(KeyNotFoundError, match=r"^there is no key$"):
        create_signer({"backend": "throwaway"})
    init_signer({"backend": "throwaway"}, name="x").close()
    assert module().MADE == ["key"]
    create_signer({"backend": "throwaway"}).close()


@pytest.mark.parametrize("pin", [{"expected_address": KEY.address.hex()}, {"expected_public_key": KEY.raw.hex()}])
def test_init_signer_makes_no_key_that_is_pinned(install: Install, pin: dict[str, str]) -> None:
    module = module_of(install, MAKING)
    with pytest.raises(KeyNotFoundError, match=r"\(a pinned key is never made\); restore the key"):
        init_signer({"backend": "throwaway", **pin})
    assert module().MADE == []


def test_init_signer_opens_the_key_of_a_backend_that_makes_none(install: Install) -> None:
    install()
    init_signer({"backend": "throwaway"}).close()


def test_init_signer_says_that_a_backend_makes_none(install: Install) -> None:
    install(source=WORKING.replace("return Ed25519Key()", "raise KeyNotFoundError('there is no key')"))
    with pytest.raises(
        KeyNotFoundError, match=r"there is no key \(the backend 'throwaway' makes no keys\); make it with"
    ):
        init_signer({"backend": "throwaway"})


def test_init_signer_passes_on_what_its_hook_raises(install: Install) -> None:
    install(source=MAKING.replace('MADE.append("key")', "raise KeyNotFoundError('no such place')"))
    with pytest.raises(KeyNotFoundError, match=r"^no such place$"):
        init_signer({"backend": "throwaway"})


# --- the budget of opening -------------------------------------------------------------------------------------------

DOWN = """
SEEN = []

@hookimpl
def signer_backend():
    return Backend(contract=1, config_class=Config, default_timeout=50, default_max_retries=2)

@hookimpl
def signer_open(config, deadline):
    SEEN.append(deadline)
    raise BackendUnavailableError("down", retry_after=RETRY_AFTER)
"""


def test_opening_is_tried_again(install: Install) -> None:
    module = module_of(install, DOWN.replace("RETRY_AFTER", "None"))
    with pytest.raises(BackendUnavailableError, match=r"down \(gave up after 2 attempts in"):
        create_signer({"backend": "throwaway", "max_retries": 1})
    assert len(module().SEEN) == 2


def test_opening_ends_with_its_budget(install: Install) -> None:
    module = module_of(install, DOWN.replace("RETRY_AFTER", "60"))
    for timeout in (None, 20):
        with pytest.raises(DeadlineExceededError, match="would begin after the deadline: 1 attempt in"):
            create_signer({"backend": "throwaway"}, timeout=timeout)
    assert [each.seconds for each in module().SEEN] == [50, 20]


def test_a_name_is_a_text_and_no_key_is_made_for_another(tmp_path: Path) -> None:
    name: Any = 7
    config = {"backend": "file", "path": str(tmp_path / "keys"), "passphrase": Secret(b"open sesame")}
    with pytest.raises(TypeError, match=r"^name must be a str or None, not int$"):
        init_signer(config, name=name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("timeout", [0, -1, math.nan])
def test_budget_of_nothing_is_a_value_error(timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout must be more than 0"):
        create_signer(NOOP, timeout=timeout)


def test_opening_that_is_cancelled_before() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(SignCancelledError):
        create_signer(NOOP, cancel=cancel)


def test_cancel_that_is_no_event() -> None:
    with pytest.raises(TypeError):
        create_signer(NOOP, cancel=asyncio.Event())  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        asyncio.run(create_signer_async(NOOP, cancel=asyncio.Event()))  # type: ignore[arg-type]


# --- create_signer_async ---------------------------------------------------------------------------------------------


def test_create_signer_async() -> None:
    async def main() -> bytes:
        async with await create_signer_async(NOOP, name="mine") as signer:
            assert signer.name == "mine"
            return await signer.sign_async(b"abc")

    assert asyncio.run(main()) == Ed25519Key().private_key.sign(b"abc")


def test_create_signer_async_raises() -> None:
    with pytest.raises(ConfigError):
        asyncio.run(create_signer_async({}))


WAITING = """
import threading
ENTERED = threading.Event()
GATE = threading.Event()
KEYS = []

@hookimpl
def signer_backend():
    return Backend(contract=1, config_class=Config, default_max_retries=5)

@hookimpl
def signer_open(config, deadline):
    ENTERED.set()
    if WAITS:
        deadline.sleep(10 * PATIENCE)
    assert GATE.wait(PATIENCE)
    KEYS.append(Ed25519Key())
    return KEYS[-1]

WORKING = True
"""


async def cancelled(module: Any, **options: Any) -> None:
    task = asyncio.create_task(create_signer_async({"backend": "throwaway"}, **options))
    await asyncio.to_thread(until, lambda: hasattr(module(), "WORKING"))  # that is the end of the module
    await asyncio.to_thread(module().ENTERED.wait, PATIENCE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def loaded(install: Install, source: str) -> Any:
    install(source=source, module="throwaway_waiting")
    return lambda: sys.modules.get("throwaway_waiting")


def test_signer_of_a_cancelled_task_is_closed(install: Install) -> None:
    module = loaded(install, WAITING.replace("WAITS", "False"))
    cancel = threading.Event()
    asyncio.run(cancelled(module, cancel=cancel))
    module().GATE.set()
    until(lambda: [each.closed for each in module().KEYS] == [1])
    assert not cancel.is_set()


def test_cancelling_the_task_calls_the_opening_off(install: Install) -> None:
    module = loaded(install, WAITING.replace("WAITS", "True"))
    asyncio.run(cancelled(module))
    for thread in [each for each in threading.enumerate() if each.name.startswith("signer")]:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert module().KEYS == []


# --- pickles ---------------------------------------------------------------------------------------------------------


def again(signer: Signer) -> Signer:
    reopened: Signer = pickle.loads(pickle.dumps(signer))
    return reopened


def test_pickle_opens_the_signer_again() -> None:
    signer = create_signer({**NOOP, "timeout": "5s", "trusted": "signer-noop"}, name="mine")
    reopened = again(signer)
    assert reopened is not signer
    assert (reopened.name, reopened.backend, reopened.public_key) == ("mine", "noop", KEY)
    assert reopened.sign(b"abc") == signer.sign(b"abc")
    assert again(reopened)._calls._attempts.timeout == 5


def test_pickle_of_a_closed_signer_opens_a_new_one() -> None:
    signer = create_signer(NOOP)
    signer.close()
    assert again(signer).sign(b"abc")


def test_pickle_of_a_signer_made_in_code_is_refused() -> None:
    with pytest.raises(TypeError, match="made in code is not pickled"):
        pickle.dumps(Signer(Ed25519Key()))


def test_pickle_of_a_key_that_is_never_found_again_is_refused() -> None:
    with pytest.raises(TypeError, match="'noop' would open another key elsewhere"):
        pickle.dumps(create_signer({"backend": "noop"}))


SECRETIVE = """
@attrs.frozen(kw_only=True)
class Config:
    seed: Secret = attrs.field(repr=False)
    place: Path = Path("x")

@hookimpl
def signer_backend():
    return Backend(contract=1, config_class=Config)

@hookimpl
def signer_open(config):
    return Ed25519Key(bytes.fromhex(config.seed.reveal().decode()), key_id=str(config.place))
"""


@pytest.mark.parametrize("seed", [Secret(SEED.hex().encode()), SEED.hex().encode], ids=["literal", "callable"])
def test_pickle_of_a_secret_that_is_no_reference_is_refused(install: Install, seed: Any) -> None:
    install(source=SECRETIVE)
    signer = create_signer({"backend": "throwaway", "seed": seed})
    with pytest.raises(TypeError, match="secret is not pickled") as caught:
        pickle.dumps(signer)
    assert_hides(SEED.hex(), caught.value)


def test_pickle_holds_references_and_absolute_paths(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_environment: pytest.MonkeyPatch
) -> None:
    install(source=SECRETIVE)
    (tmp_path / "seed").write_text(SEED.hex() + "\n")
    (tmp_path / "signer.toml").write_text('[signer]\nbackend = "throwaway"\nseed = "file:seed"\nplace = "here"')
    clean_environment.setenv("SIGNER_PLACE", "there")
    pickled = pickle.dumps(create_signer(tmp_path / "signer.toml"))
    assert SEED.hex().encode() not in pickled

    clean_environment.setenv("SIGNER_PLACE", "elsewhere")  # is not read anew
    monkeypatch.chdir("/")
    reopened = pickle.loads(pickled)
    assert (reopened.public_key, reopened.key_id) == (KEY, str(tmp_path / "there"))


def test_pickle_checks_that_it_is_the_same_key(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install(source=SECRETIVE)
    monkeypatch.setenv("THROWAWAY_SEED", SEED.hex())
    pickled = pickle.dumps(create_signer({"backend": "throwaway", "seed": "env:THROWAWAY_SEED"}))
    pickle.loads(pickled)
    monkeypatch.setenv("THROWAWAY_SEED", OTHER_SEED.hex())
    with pytest.raises(KeyMismatchError, match="this is another key than the pickled signer asks for"):
        pickle.loads(pickled)


def signed_elsewhere(signer: Signer, message: bytes) -> tuple[bytes, str | None]:
    """In a process that was spawned."""
    return signer.sign(message), signer.name


def test_signer_is_sent_to_a_process_that_was_spawned() -> None:
    with (
        create_signer(NOOP, name="mine") as signer,
        multiprocessing.get_context("spawn").Pool(1) as pool,
    ):
        assert pool.apply(signed_elsewhere, (signer, b"abc")) == (signer.sign(b"abc"), "mine")
