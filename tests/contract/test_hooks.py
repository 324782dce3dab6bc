"""Hook specifications: the design's names and parameters, and what every installed plugin makes of them."""

import inspect
from pathlib import Path
from typing import Any

import attrs
import pluggy
import pytest

from signer_core import Algorithm, Backend, Extension, SignEvent, create_signer, hookimpl
from signer_core.config_class import option_fields
from signer_core.core_options import CORE_OPTIONS, CoreOptions
from signer_core.errors import ConfigError
from signer_core.hookspecs import (
    BACKENDS_GROUP,
    CONTRACT,
    EXTENSIONS_GROUP,
    AttachedHooks,
    BackendHooks,
    ExtensionHooks,
)
from signer_core.installed import installed_plugins
from signer_core.options import converter_for, description
from signer_core.plugins import load_backend
from tests.keys import Ed25519Key

HOOKS = {
    BackendHooks: {
        "signer_backend": (),
        "signer_open": ("config", "deadline"),
        "signer_init": ("config", "deadline"),
        "signer_check": ("config", "deadline"),
        "signer_commands": (),
    },
    ExtensionHooks: {"signer_extension": (), "signer_attach": ("config",), "signer_commands": ()},
    AttachedHooks: {
        "signer_before_sign": ("event",),
        "signer_after_sign": ("event", "signature", "error"),
    },
}
EACH = [(spec, name) for spec, hooks in HOOKS.items() for name in hooks]

BACKENDS = sorted({each.name for each in installed_plugins() if each.kind == "backend"})


#: For each hook a test that shows what becomes of it in a plugin that is installed.
SHOWN = {
    (BackendHooks, "signer_backend"): "test_plugins.py::test_plugin_of_a_stranger_signs",
    (BackendHooks, "signer_open"): "test_plugins.py::test_plugin_of_a_stranger_signs",
    (BackendHooks, "signer_init"): "test_plugins.py::test_signer_init_makes_the_key",
    (BackendHooks, "signer_check"): "test_plugins.py::test_signer_check_gives_its_verdicts",
    (BackendHooks, "signer_commands"): "cli/test_plugin_commands.py::test_they_find_the_configured_options",
    (
        ExtensionHooks,
        "signer_extension",
    ): "test_configured_extensions.py::test_extensions_are_attached_in_the_order_of_the_mapping",
    (
        ExtensionHooks,
        "signer_attach",
    ): "test_configured_extensions.py::test_extensions_are_attached_in_the_order_of_the_mapping",
    (ExtensionHooks, "signer_commands"): "cli/test_plugin_commands.py::test_commands_of_an_extension_find_its_options",
    (
        AttachedHooks,
        "signer_before_sign",
    ): "test_extensions.py::test_a_refusal_names_the_extension_and_nothing_is_signed",
    (AttachedHooks, "signer_after_sign"): "test_extensions.py::test_every_error_is_told",
}


@pytest.mark.parametrize("spec", HOOKS)
def test_hooks_are_the_design_s(spec: type[Any]) -> None:
    marked = {name for name, member in vars(spec).items() if hasattr(member, "signer_core_spec")}
    assert marked == set(HOOKS[spec])
    assert {name for name in vars(spec) if name.startswith("signer_")} == marked


@pytest.mark.parametrize(("spec", "name"), EACH)
def test_parameters_are_positional_or_keyword_without_defaults(spec: type[Any], name: str) -> None:
    _, *parameters = inspect.signature(getattr(spec, name)).parameters.values()
    assert tuple(each.name for each in parameters) == HOOKS[spec][name]
    assert {each.kind for each in parameters} <= {inspect.Parameter.POSITIONAL_OR_KEYWORD}
    assert {each.default for each in parameters} <= {inspect.Parameter.empty}


@pytest.mark.parametrize(("spec", "name"), EACH)
def test_each_hook_is_described_and_typed(spec: type[Any], name: str) -> None:
    hook = getattr(spec, name)
    assert inspect.getdoc(hook)
    assert set(hook.__annotations__) == {*HOOKS[spec][name], "return"}


@pytest.mark.parametrize(("spec", "name"), EACH)
def test_each_hook_is_tested(spec: type[Any], name: str) -> None:
    file, _, test = SHOWN[spec, name].partition("::")
    text = (Path(__file__).parent.parent / file).read_text("utf-8")
    assert f"\ndef {test}(" in text
    assert f"{name}(" in text


@pytest.mark.parametrize("spec", [BackendHooks, ExtensionHooks])
def test_one_plugin_is_asked_so_the_first_result_is_the_only_one(spec: type[Any]) -> None:
    assert all(getattr(spec, name).signer_core_spec["firstresult"] for name in HOOKS[spec])


def test_attached_hooks_are_all_called() -> None:
    assert not any(getattr(AttachedHooks, name).signer_core_spec["firstresult"] for name in HOOKS[AttachedHooks])


@pytest.mark.parametrize("spec", HOOKS)
def test_pluggy_takes_the_specification(spec: type[Any]) -> None:
    manager = pluggy.PluginManager("signer_core")
    manager.add_hookspecs(spec)
    assert {name for name in vars(manager.hook) if name.startswith("signer_")} == set(HOOKS[spec])


def test_groups_and_version() -> None:
    assert (BACKENDS_GROUP, EXTENSIONS_GROUP, CONTRACT) == ("signer_core.backends", "signer_core.extensions", 1)
    assert isinstance(hookimpl, pluggy.HookimplMarker)
    assert hookimpl.project_name == "signer_core"


@pytest.mark.parametrize(
    ("described", "defaults"),
    [
        (
            Backend,
            {
                "contract": attrs.NOTHING,
                "config_class": attrs.NOTHING,
                "remote": False,
                "algorithms": frozenset(Algorithm),
                "default_timeout": None,
                "default_attempt_timeout": None,
                "default_max_retries": 0,
            },
        ),
        (Extension, {"contract": attrs.NOTHING, "config_class": attrs.NOTHING, "needs_message": True}),
    ],
)
def test_what_a_plugin_declares(described: Any, defaults: dict[str, Any]) -> None:
    fields = attrs.fields_dict(described)
    assert {name: field.default for name, field in fields.items()} == defaults
    assert all(field.kw_only for field in fields.values())
    with pytest.raises(TypeError):
        described(1, dict)
    made = described(contract=1, config_class=dict)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.contract = 2


def test_durations_and_algorithms_of_a_backend_may_be_written_as_in_a_configuration() -> None:
    made = Backend(
        contract=1,
        config_class=dict,
        default_timeout="1m",
        algorithms=["ed25519"],  # type: ignore[list-item]
    )
    assert (made.default_timeout, made.algorithms) == (60.0, frozenset({Algorithm.ED25519}))


def event(**options: Any) -> SignEvent:
    key = Ed25519Key()
    options = {"message": b"abc", "size": 3, **options}
    return SignEvent(signer="s", backend="b", key_id="k", public_key=key.public_key, started_at=0.0, **options)


def test_event_has_the_digest_of_its_message() -> None:
    made = event()
    # FIPS 180-2, appendix B.1
    assert made.digest is not None
    assert made.digest.hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert made.digest is made.digest


def test_event_of_a_digest_has_the_digest_of_the_message_where_it_is_the_one_that_is_signed() -> None:
    assert event(message=None, prehashed=("sha256", b"\1" * 32)).digest == b"\1" * 32
    for name in ("sha384", "sha512", "ml-dsa-mu"):
        assert event(message=None, prehashed=(name, bytes(64))).digest is None


def test_event_does_not_show_the_message() -> None:
    assert "hunter2" not in repr(event(message=b"hunter2"))


def test_event_has_the_design_s_fields() -> None:
    names = {"signer", "backend", "key_id", "public_key", "message", "prehashed", "size", "started_at"}
    assert set(attrs.fields_dict(SignEvent)) == names


# --- what must hold of every backend that is installed ---------------------------------------------------------------


@pytest.mark.parametrize("name", BACKENDS)
def test_backend_keeps_the_contract(name: str) -> None:
    plugin = load_backend(name)
    assert plugin.backend.contract == 1
    assert plugin.backend.algorithms


@pytest.mark.parametrize("name", BACKENDS)
def test_options_of_a_backend_are_frozen_described_and_of_known_types(name: str) -> None:
    config_class = load_backend(name).backend.config_class
    fields = option_fields(config_class)
    assert fields.keys() & CORE_OPTIONS == set()
    for field in fields.values():
        converter_for(field.type)  # or PluginContractError
        assert description(field)
        assert field.kw_only
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(object.__new__(config_class), "anything", 1)  # noqa: B010


@pytest.mark.parametrize("name", BACKENDS)
def test_backend_refuses_an_option_that_it_has_not(name: str) -> None:
    with pytest.raises(ConfigError):
        create_signer({"backend": name, "zzz": 1})


def test_options_of_the_core_are_the_design_s_and_described() -> None:
    assert set(attrs.fields_dict(CoreOptions)) | {"backend", "extensions"} == CORE_OPTIONS
    assert {
        "backend",
        "timeout",
        "attempt_timeout",
        "max_retries",
        "hedge_after",
        "verify",
        "expected_address",
        "expected_public_key",
        "trusted",
        "extensions",
    } == CORE_OPTIONS
    assert all(description(field) for field in attrs.fields(CoreOptions))
