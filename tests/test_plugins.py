"""Plugins as they come: installed for real, in a directory on sys.path."""

import subprocess
import sys
from typing import Any

import click
import pytest

from signer_core import Deadline, Secret, create_signer, init_signer
from signer_core.errors import (
    BackendConflictError,
    BackendNotFoundError,
    ConfigError,
    KeyNotFoundError,
    PluginContractError,
    PluginError,
)
from signer_core.hookspecs import Verdict
from signer_core.installed import installed_plugins
from signer_core.plugins import BackendPlugin, load_backend
from tests.conftest import WORKING, Install
from tests.keys import Ed25519Key, assert_hides

NOW = Deadline.after(None)


def opened() -> Any:
    return create_signer({"backend": "throwaway"})


UPGRADE = "upgrade or uninstall signer-throwaway, or tell its author"


def broken(install: Install, source: str, *, remedy: str = UPGRADE, **options: Any) -> str:
    install(source=source, **options)
    with pytest.raises(PluginContractError) as caught:
        opened()
    text = str(caught.value)
    assert text.startswith("the plugin of backend 'throwaway', signer-throwaway 1.0, is broken: ")
    assert text.endswith(f"; {remedy}")
    assert "\n" not in text
    return text


def test_plugin_of_a_stranger_signs(install: Install) -> None:
    install()
    with opened() as signer:
        signer.public_key.verify(signer.sign(b"abc"), b"abc")
        assert (signer.backend, signer.key_id) == ("throwaway", "test-key")


def test_plugin_may_be_an_object(install: Install) -> None:
    source = """
    class Plugin:
        @hookimpl
        def signer_backend(self):
            return Backend(contract=1, config_class=Config)

        @hookimpl
        def signer_open(self, config):
            return Ed25519Key()

    plugin = Plugin()
    """
    install(
        source=source,
        module="throwaway_object",
        entry_points="[signer_core.backends]\nthrowaway = throwaway_object:plugin",
    )
    opened().sign(b"")


@pytest.mark.parametrize("parameters", ["", "config", "deadline", "config, deadline", "deadline, config"])
def test_hook_may_take_fewer_parameters_in_any_order(install: Install, parameters: str) -> None:
    body = "".join(
        f"    assert isinstance({each}, {kind})\n"
        for each, kind in (("config", "Config"), ("deadline", "Deadline"))
        if each in parameters
    )
    install(source=WORKING.replace("signer_open(config):\n", f"signer_open({parameters}):\n{body}"))
    opened().sign(b"")


def test_only_the_plugin_that_is_named_is_imported(install: Install) -> None:
    install("signer-stranger", source="raise SystemExit('imported')", name="stranger", module="throwaway_stranger")
    install()
    opened().sign(b"")
    assert "throwaway_stranger" not in sys.modules


def test_stranger_that_wants_to_be_first_is_not_asked(install: Install) -> None:
    stranger = WORKING.replace("@hookimpl", "@hookimpl(tryfirst=True)").replace("Ed25519Key()", "1 / 0")
    install("signer-stranger", source=stranger, name="stranger")
    install()
    opened().sign(b"")


def test_backend_that_is_not_installed() -> None:
    with pytest.raises(BackendNotFoundError, match=r"no backend 'absent' is installed .*; pip install signer-absent"):
        create_signer({"backend": "absent"})


def test_backend_that_two_claim(install: Install) -> None:
    install("signer-throwaway")
    install("signer-stranger")
    with pytest.raises(BackendConflictError):
        opened()


@pytest.mark.parametrize("trusted", ["signer-throwaway", "Signer_Throwaway", "signer.throwaway"])
def test_trusted_distribution(install: Install, trusted: str) -> None:
    install()
    create_signer({"backend": "throwaway", "trusted": trusted}).sign(b"")


@pytest.mark.parametrize("trusted", ["signer-other", "signer-throwaway2"])
def test_distribution_that_is_not_trusted_is_not_imported(install: Install, trusted: str) -> None:
    install(source="raise SystemExit('imported')")
    with pytest.raises(PluginError, match=r"is served by signer-throwaway, but only .* is trusted with it"):
        create_signer({"backend": "throwaway", "trusted": trusted})


# --- broken in itself ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import absent_module", "raised ModuleNotFoundError: No module named 'absent_module'"),
        ("raise RuntimeError('on import')", "raised RuntimeError: on import"),
        ("raise SystemExit(3)", "raised SystemExit: 3"),
        ("def broken(:", "raised SyntaxError"),
        ("raise ValueError('two\\nlines')", "raised ValueError: two lines"),
    ],
)
def test_module_that_cannot_be_imported(install: Install, source: str, reason: str) -> None:
    assert reason in broken(install, source)


@pytest.mark.parametrize("value", ["absent_module", "tests.keys:absent", "tests.keys:SEED.absent", "not a reference!"])
def test_entry_point_that_leads_nowhere(install: Install, value: str) -> None:
    assert f"importing {value!r} raised" in broken(
        install, "", entry_points=f"[signer_core.backends]\nthrowaway = {value}"
    )


@pytest.mark.parametrize("value", ["tests.keys:SEED", "tests.keys:PATIENCE", "tests.keys", "tests.keys:__builtins__"])
def test_entry_point_to_something_without_hooks(install: Install, value: str) -> None:
    text = broken(install, "", entry_points=f"[signer_core.backends]\nthrowaway = {value}")
    assert "it lacks the hook signer_backend or signer_open" in text


def test_property_that_breaks_while_hooks_are_looked_for(install: Install) -> None:
    source = """
    class Plugin:
        @property
        def __signature__(self):
            raise RuntimeError

        def __getattr__(self, name):
            raise RuntimeError(name)

        def __dir__(self):
            return ["signer_backend"]

    plugin = Plugin()
    """
    broken(
        install,
        source,
        module="throwaway_breaks",
        entry_points="[signer_core.backends]\nthrowaway = throwaway_breaks:plugin",
    )


@pytest.mark.parametrize("missing", ["signer_backend", "signer_open"])
def test_required_hook_that_is_missing(install: Install, missing: str) -> None:
    source = WORKING.replace(f"def {missing}", "def signer_check")
    assert "it lacks the hook signer_backend or signer_open" in broken(install, source)


@pytest.mark.parametrize("unmarked", ["signer_backend", "signer_open", "signer_init"])
def test_hook_that_was_not_marked(install: Install, unmarked: str) -> None:
    source = WORKING + "\n@hookimpl\ndef signer_init(config):\n    return Ed25519Key()\n"
    text = broken(install, source.replace(f"@hookimpl\ndef {unmarked}", f"def {unmarked}"))
    assert f"{unmarked} lacks the mark hookimpl, so it would never be called" in text


@pytest.mark.parametrize(
    ("misspelled", "meant"),
    [("signer_opens", "signer_open"), ("signer_inti", "signer_init"), ("signer_chekc", "signer_check"), ("sign", None)],
)
def test_hook_that_is_misspelled(install: Install, misspelled: str, meant: str | None) -> None:
    text = broken(install, f"{WORKING}\n@hookimpl\ndef {misspelled}(config):\n    pass\n")
    suggestion = "" if meant is None else f" (did you mean {meant}?)"
    assert f"is broken: unknown hook '{misspelled}'{suggestion}; " in text


def test_hook_of_an_extension(install: Install) -> None:
    text = broken(install, f"{WORKING}\n@hookimpl\ndef signer_attach(config):\n    pass\n")
    assert "unknown hook 'signer_attach', which belongs to an extension, in a module of its own; " in text


@pytest.mark.parametrize("parameters", ["config, passphrase", "configuration", "self, config"])
def test_hook_that_wants_parameters_that_there_are_not(install: Install, parameters: str) -> None:
    assert "signer_open" in broken(install, WORKING.replace("signer_open(config)", f"signer_open({parameters})"))


@pytest.mark.parametrize("contract", ["0", "-1", "None", "'2'", "1.5", "True"])
def test_earlier_version_of_the_contract(install: Install, contract: str) -> None:
    text = broken(install, WORKING.replace("contract=1", f"contract={contract}"))
    assert f"it was written for version {contract} of the contract, not 1" in text


@pytest.mark.parametrize("hook", ["", "signer_stream(config)", "signer_check(config, stream)"])
def test_later_version_of_the_contract(install: Install, hook: str) -> None:
    """Whatever hooks and parameters the later one may have, the version is what is told."""
    added = f"@hookimpl\ndef {hook}:\n    pass\n" if hook else ""
    text = broken(
        install,
        WORKING.replace("contract=1", "contract=2") + added,
        remedy="upgrade signer-core, or install an earlier signer-throwaway",
    )
    assert "it was written for version 2 of the contract, not 1" in text


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Backend(contract=1, config_class=Config)", "None", "signer_backend returned NoneType instead of Backend"),
        ("Backend(contract=1, config_class=Config)", "Backend", "signer_backend returned type instead of Backend"),
        ("config_class=Config)", "config_class=Config, colour=1)", "signer_backend raised TypeError"),
        ("config_class=Config)", "config_class=Config, default_timeout=0)", "signer_backend raised ValueError"),
        ("config_class=Config)", "config_class=Config, default_timeout='x')", "signer_backend raised ValueError"),
        (
            "config_class=Config)",
            "config_class=Config, default_attempt_timeout=-1)",
            "signer_backend raised ValueError",
        ),
        ("config_class=Config)", "config_class=Config, default_max_retries=-1)", "signer_backend raised ValueError"),
        ("config_class=Config)", "config_class=Config, default_max_retries=None)", "signer_backend raised TypeError"),
        ("config_class=Config)", "config_class=Config, algorithms={'rot13'})", "signer_backend raised ValueError"),
        ("config_class=Config)", "config_class=Config, algorithms=5)", "signer_backend raised TypeError"),
        ("config_class=Config)", "config_class=Config, remote='no')", "signer_backend raised TypeError"),
        ("return Backend(contract=1, config_class=Config)", "1 / 0", "signer_backend raised ZeroDivisionError"),
        ("return Ed25519Key()", "return None", "signer_open returned NoneType instead of SigningKey"),
        ("return Ed25519Key()", "return Ed25519Key", "signer_open returned ABCMeta instead of SigningKey"),
        ("return Ed25519Key()", "raise RuntimeError('hunter2')", "signer_open raised RuntimeError"),
        ("return Ed25519Key()", "raise OSError('hunter2')", "signer_open raised OSError"),
        ("return Ed25519Key()", "yield Ed25519Key()", "signer_open returned generator instead of SigningKey"),
    ],
)
def test_hook_that_does_not_do_what_it_should(install: Install, old: str, new: str, reason: str) -> None:
    assert old in WORKING
    text = broken(install, WORKING.replace(old, new))
    assert reason in text
    assert "hunter2" not in text


def test_a_class_in_the_place_of_a_plugin(install: Install) -> None:
    source = "class Plugin:\n    @hookimpl\n    def signer_backend(self):\n        raise SystemExit('called')\n"
    entry_points = "[signer_core.backends]\nthrowaway = throwaway:Plugin\n"
    assert "is broken: 'throwaway:Plugin' is a class, where a module or an object is expected; " in broken(
        install, source, module="throwaway", entry_points=entry_points
    )


def test_error_of_the_library_s_own_out_of_a_hook_is_passed_on(install: Install) -> None:
    install(source=WORKING.replace("return Ed25519Key()", "raise KeyNotFoundError('no such key')"))
    with pytest.raises(KeyNotFoundError, match=r"^no such key$"):
        opened()


@pytest.mark.parametrize("config_class", ["dict", "None", "5", "Ed25519Key"])
def test_configuration_class_that_is_none(install: Install, config_class: str) -> None:
    install(source=WORKING.replace("config_class=Config", f"config_class={config_class}"))
    with pytest.raises(PluginContractError):
        opened()


def test_option_that_is_named_like_one_of_the_core_s(install: Install) -> None:
    source = "@attrs.frozen(kw_only=True)\nclass Config:\n    timeout: int = 5\n" + WORKING
    install(source=source)
    with pytest.raises(PluginContractError, match="options that the core has too: timeout"):
        opened()


def test_secret_does_not_reach_the_error_of_a_hook(install: Install) -> None:
    source = """
    @attrs.frozen(kw_only=True)
    class Config:
        token: Secret = attrs.field(repr=False)
    """ + WORKING.replace("return Ed25519Key()", "raise RuntimeError(repr(config))").replace("\n", "\n    ")
    install(source=source)
    with pytest.raises(PluginContractError) as caught:
        create_signer({"backend": "throwaway", "token": Secret(b"hunter2")})
    assert_hides("hunter2", caught.value)


# --- optional hooks --------------------------------------------------------------------------------------------------


def plugin_with(install: Install, hook: str) -> BackendPlugin:
    install(source=f"{WORKING}\n@hookimpl\ndef {hook}\n")
    return load_backend("throwaway")


def test_plugin_without_optional_hooks(install: Install) -> None:
    install()
    plugin = load_backend("throwaway")
    assert plugin.makes_keys is False
    assert list(plugin.check(None, NOW)) == []
    assert plugin.commands() is None


def test_signer_init_makes_the_key(install: Install) -> None:
    plugin = plugin_with(install, "signer_init(config):\n    return Ed25519Key(OTHER_SEED, key_id='made')")
    assert plugin.makes_keys is True
    assert init_signer({"backend": "throwaway"}).key_id == "made"
    assert create_signer({"backend": "throwaway"}).key_id == "test-key"


def test_signer_init_that_gives_no_key(install: Install) -> None:
    plugin = plugin_with(install, "signer_init():\n    return 'key'")
    with pytest.raises(PluginContractError, match="signer_init returned str instead of SigningKey"):
        plugin.init(None, NOW)


def test_signer_check_gives_its_verdicts(install: Install) -> None:
    plugin = plugin_with(install, "signer_check(config):\n    yield Verdict(step='one', passed=True)")
    assert list(plugin.check(None, NOW)) == [Verdict(step="one", passed=True)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return 5", "signer_check returned int instead of Iterable"),
        ("return None", "signer_check returned NoneType instead of Iterable"),
        ("return ['fine']", "signer_check gave str instead of Verdict"),
        ("yield Verdict(step='one', passed=True); 1 / 0", "signer_check raised ZeroDivisionError"),
    ],
)
def test_signer_check_that_is_not_right(install: Install, body: str, reason: str) -> None:
    plugin = plugin_with(install, f"signer_check():\n    {body}")
    with pytest.raises(PluginContractError, match=reason):
        list(plugin.check(None, NOW))


def test_signer_check_may_raise_the_library_s_errors(install: Install) -> None:
    plugin = plugin_with(
        install, "signer_check():\n    yield Verdict(step='one', passed=True)\n    raise ConfigError('no')"
    )
    with pytest.raises(ConfigError, match=r"^no$"):
        list(plugin.check(None, NOW))


def test_signer_commands_is_a_click_group(install: Install) -> None:
    plugin = plugin_with(install, "signer_commands():\n    import click\n    return click.Group('throwaway')")
    assert isinstance(plugin.commands(), click.Group)


def test_signer_commands_that_is_no_group(install: Install) -> None:
    plugin = plugin_with(install, "signer_commands():\n    return print")
    with pytest.raises(
        PluginContractError, match="signer_commands returned builtin_function_or_method instead of Group"
    ):
        plugin.commands()


# --- what is installed -----------------------------------------------------------------------------------------------


def installed(name: str, *, load: bool = False) -> Any:
    [found] = [each for each in installed_plugins(load=load) if each.name == name]
    return found


def test_installed_plugins_are_listed_by_their_metadata(install: Install) -> None:
    facts = install(source="raise SystemExit('imported')")
    found = installed("throwaway")
    assert (found.kind, found.distribution, found.version) == ("backend", "signer-throwaway", "1.0")
    assert (found.path, found.summary, found.error) == (str(facts.parent), "for a test", None)


def test_installed_plugins_are_in_order() -> None:
    names = [(each.kind, each.name) for each in installed_plugins()]
    assert names == sorted(names)
    assert {("backend", "file"), ("backend", "noop")} <= set(names)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ("timeout: float = 1.0", "has options that the core has too: timeout"),
        ("numbers: list[int] = attrs.Factory(list)", "cannot be read"),
    ],
)
def test_configuration_class_that_will_not_do_is_shown_as_broken(install: Install, fields: str, reason: str) -> None:
    source = f"""
@attrs.frozen(kw_only=True)
class Config:
    {fields}
"""
    install(source=source + WORKING)
    shown = installed("throwaway", load=True).error
    assert reason in shown
    with pytest.raises(PluginContractError) as caught:
        create_signer({"backend": "throwaway"})
    assert "signer-throwaway 1.0, is broken" in str(caught.value)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("@hookimpl\ndef signer_open(config):", "@hookimpl(wrapper=True)\ndef signer_open(config):", "is a wrapper"),
        ("def signer_open(config):", "async def signer_open(config):", "is a coroutine function"),
    ],
)
def test_hook_that_cannot_be_called_is_shown_as_broken(install: Install, old: str, new: str, reason: str) -> None:
    body = "    yield" if "wrapper" in new else "    return Ed25519Key()"
    install(source=WORKING.replace(old, new).replace("    return Ed25519Key()", body))
    assert reason in installed("throwaway", load=True).error
    with pytest.raises(PluginContractError, match=reason):
        create_signer({"backend": "throwaway"})


@pytest.mark.parametrize("body", ["raise SystemExit(0)", "raise RuntimeError('no')", "return 'text'"])
def test_key_that_breaks_the_contract_while_signing_is_named_with_its_plugin(install: Install, body: str) -> None:
    source = f"""
class Odd(Ed25519Key):
    def sign(self, message, deadline):
        {body}
"""
    install(source=source + WORKING.replace("Ed25519Key()", "Odd()"))
    with create_signer({"backend": "throwaway"}) as signer, pytest.raises(PluginContractError) as caught:
        signer.sign(b"")
    assert str(caught.value).startswith("the plugin of backend 'throwaway', signer-throwaway 1.0, is broken: ")
    assert "Odd.sign" in str(caught.value)


@pytest.mark.parametrize("hook", ["signer_open(config)", "signer_backend()"])
def test_hook_that_exits_ends_nothing(install: Install, hook: str) -> None:
    install(
        source=WORKING
        + f"""
@hookimpl
def {hook}:
    raise SystemExit(0)
"""
    )
    with pytest.raises(PluginContractError, match="raised SystemExit"):
        create_signer({"backend": "throwaway"})


def test_plugin_without_a_summary(install: Install) -> None:
    install(metadata="Metadata-Version: 2.1\nName: signer-throwaway\nVersion: 1.0\n")
    assert installed("throwaway").summary == ""


@pytest.mark.parametrize("group", ["signer_core.backends", "signer_core.extensions"])
@pytest.mark.parametrize("source", ["import absent_module", "raise SystemExit(3)", "raise RuntimeError('no')", "def ("])
def test_broken_plugin_is_shown_as_broken_and_hides_no_other(install: Install, source: str, group: str) -> None:
    install("signer-broken", source=source, name="broken", group=group)
    install()
    found = {each.name: each.error for each in installed_plugins(load=True)}
    assert found["broken"]
    assert "\n" not in found["broken"]
    assert (found["throwaway"], found["noop"], found["file"]) == (None, None, None)


def test_plugin_that_breaks_the_contract_is_shown_as_broken(install: Install) -> None:
    install(source=WORKING.replace("contract=1", "contract=2"))
    assert "version 2 of the contract" in installed("throwaway", load=True).error


def test_plugins_in_conflict_are_both_listed(install: Install) -> None:
    install("signer-throwaway")
    install("signer-stranger")
    found = [each for each in installed_plugins() if each.name == "throwaway"]
    assert [each.distribution for each in found] == ["signer-stranger", "signer-throwaway"]
    assert all("claimed more than once" in str(each.error) for each in found)


def test_broken_metadata_hides_no_plugin(install: Install) -> None:
    install("signer-broken", name="broken", metadata="")
    install("signer-nameless", name="nameless", metadata="Metadata-Version: 2.1\n")
    install()
    assert {"throwaway", "noop", "file"} <= {each.name for each in installed_plugins(load=True)}


def test_listing_imports_nothing() -> None:
    program = (
        "import sys; from signer_core.installed import installed_plugins;"
        "names = {each.name for each in installed_plugins()};"
        "assert {'file', 'noop'} <= names; assert not {'signer_file', 'signer_noop'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_key_of_an_algorithm_that_the_backend_does_not_declare_is_refused_and_closed(install: Install) -> None:
    source = WORKING.replace("config_class=Config)", "config_class=Config, algorithms=())").replace(
        "return Ed25519Key()", "KEYS.append(Ed25519Key())\n    return KEYS[0]"
    )
    install(source="KEYS = []\n" + source, module="throwaway_undeclared")
    with pytest.raises(PluginContractError, match="opened a key for ed25519, which it does not declare"):
        opened()
    [key] = sys.modules["throwaway_undeclared"].KEYS
    assert isinstance(key, Ed25519Key)
    assert key.closed == 1
