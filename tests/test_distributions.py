"""Which distribution serves a name: real metadata in real directories on sys.path."""

import json
import logging
import sys
from pathlib import Path

import pytest

from signer_core.distributions import distribution_of, entry_points, name_of, normalized, place_of, the_one
from signer_core.errors import BackendConflictError, BackendNotFoundError, PluginError
from signer_core.hookspecs import BACKENDS_GROUP, EXTENSIONS_GROUP
from tests.conftest import Install


def claims(name: str = "throwaway") -> list[str]:
    return [name_of(each) for each in entry_points(BACKENDS_GROUP) if each.name == name]


def test_the_one_is_the_entry_point_of_that_name(install: Install, tmp_path: Path) -> None:
    install(module="a_module_of_ours")
    found = the_one(BACKENDS_GROUP, "throwaway")
    assert (found.name, found.value, name_of(found)) == ("throwaway", "a_module_of_ours", "signer-throwaway")
    assert distribution_of(found).version == "1.0"
    assert place_of(found) == str(tmp_path / "site")


def test_name_that_nobody_serves_lists_what_is_installed(install: Install) -> None:
    install(name="other")
    with pytest.raises(BackendNotFoundError) as caught:
        the_one(BACKENDS_GROUP, "absent")
    assert str(caught.value) == (
        f"no backend 'absent' is installed (installed: {', '.join(caught.value.installed)}); pip install signer-absent"
    )
    assert set(caught.value.installed) >= {"file", "noop", "other"}
    assert list(caught.value.installed) == sorted(caught.value.installed)


@pytest.fixture
def nothing_but_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """No distribution is found: as after `pip install signer-core` alone."""
    monkeypatch.setattr(sys, "path", [place for place in sys.path if "site-packages" not in place])


@pytest.mark.usefixtures("nothing_but_the_core")
@pytest.mark.parametrize(
    ("group", "name", "remedy"),
    [
        (BACKENDS_GROUP, "awskms", "pip install signer-aws-kms"),
        (BACKENDS_GROUP, "file", "pip install signer-file"),
        (BACKENDS_GROUP, "noop", "pip install signer-noop"),
        (EXTENSIONS_GROUP, "audit", "pip install signer-audit"),
        (BACKENDS_GROUP, "aws_kms", "did you mean 'awskms'? If not: pip install signer-aws_kms"),
        (BACKENDS_GROUP, "audit", "'audit' is an extension: list it in the option 'extensions'"),
        (EXTENSIONS_GROUP, "file", "'file' is a backend: name it in the option 'backend'"),
    ],
)
def test_the_core_alone_knows_what_is_to_be_installed(group: str, name: str, remedy: str) -> None:
    with pytest.raises(PluginError) as caught:
        the_one(group, name)
    assert caught.value.remedy == remedy


def test_a_plugin_of_the_other_kind_is_not_to_be_installed_again(install: Install) -> None:
    install(name="vault", group=EXTENSIONS_GROUP)
    with pytest.raises(BackendNotFoundError) as caught:
        the_one(BACKENDS_GROUP, "vault")
    assert caught.value.remedy == "'vault' is an extension: list it in the option 'extensions'"


@pytest.mark.parametrize("name", ["; rm -rf /", "--target=x", "a b", "a\nb", "x" * 1000, "../x", "é"])
def test_name_that_no_distribution_has_is_not_suggested_to_pip(name: str) -> None:
    with pytest.raises(BackendNotFoundError) as caught:
        the_one(BACKENDS_GROUP, name)
    assert caught.value.remedy is None
    assert "\n" not in str(caught.value)


def test_name_that_is_nearly_one_of_those_installed() -> None:
    with pytest.raises(BackendNotFoundError) as caught:
        the_one(BACKENDS_GROUP, "flie")
    assert caught.value.remedy == "did you mean 'file'? If not: pip install signer-flie"


def test_two_distributions_that_claim_one_name(install: Install) -> None:
    install("signer-throwaway")
    install("signer-stranger")
    with pytest.raises(BackendConflictError, match="backend 'throwaway' is claimed more than once") as caught:
        the_one(BACKENDS_GROUP, "throwaway")
    for each in ("signer-throwaway 1.0 in /", "signer-stranger 1.0 in /", "uninstall all but one of them"):
        assert each in str(caught.value)


def test_two_copies_of_one_distribution(install: Install) -> None:
    install(directory="first", module="the_same")
    install(directory="second", module="the_same")
    with pytest.raises(BackendConflictError) as caught:
        the_one(BACKENDS_GROUP, "throwaway")
    assert "/first" in str(caught.value)
    assert "/second" in str(caught.value)


def test_two_versions_in_one_directory(install: Install) -> None:
    install(version="1.0")
    install(version="1.1")
    with pytest.raises(BackendConflictError, match=r"signer-throwaway 1\.[01] in .*, signer-throwaway 1\.[01] in"):
        the_one(BACKENDS_GROUP, "throwaway")


def test_conflict_does_not_matter_to_other_names(install: Install) -> None:
    install("signer-throwaway")
    install("signer-stranger")
    assert name_of(the_one(BACKENDS_GROUP, "noop")) == "signer-noop"


def test_directory_that_is_on_the_path_twice(install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    site = install().parent
    link = tmp_path / "link"
    link.symlink_to(site)
    monkeypatch.setattr(sys, "path", [*sys.path, str(site), str(link), f"{site}/."])
    assert claims() == ["signer-throwaway"]


def test_working_directory_on_the_path(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(install().parent)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert claims() == ["signer-throwaway"]


def test_path_with_places_that_are_not_there(monkeypatch: pytest.MonkeyPatch, install: Install) -> None:
    install()
    monkeypatch.setattr(sys, "path", ["/absent", "/dev/null", *sys.path])
    assert claims() == ["signer-throwaway"]


def editable(facts: Path, source: Path) -> None:
    (facts / "direct_url.json").write_text(json.dumps({"url": source.as_uri(), "dir_info": {"editable": True}}))


def test_editable_installation_beside_its_egg_info(install: Install, tmp_path: Path) -> None:
    source = install(directory="project", form="egg-info", module="of_both").parent
    editable(install(directory="site", module="of_both"), source)
    assert claims() == ["signer-throwaway"]
    assert distribution_of(the_one(BACKENDS_GROUP, "throwaway")).locate_file("") == tmp_path / "site"
    assert place_of(the_one(BACKENDS_GROUP, "throwaway")) == str(source)


def test_editable_installation_in_an_environment_inside_its_project(install: Install, tmp_path: Path) -> None:
    source = install(directory="project", form="egg-info", module="of_both").parent
    (source / ".venv").mkdir()
    editable(install(directory="project/.venv/site", module="of_both"), source)
    assert distribution_of(the_one(BACKENDS_GROUP, "throwaway")).locate_file("") == source / ".venv/site"


def test_editable_installation_beside_an_egg_info_from_before_a_renaming(install: Install) -> None:
    source = install(directory="project", form="egg-info", module="the_old_name", version="0.9").parent
    editable(install(directory="site", module="the_new_name"), source)
    assert the_one(BACKENDS_GROUP, "throwaway").value == "the_new_name"


def test_editable_installation_beside_a_copy_elsewhere_is_a_conflict(install: Install, tmp_path: Path) -> None:
    editable(install(directory="site"), tmp_path / "project")
    install(directory="elsewhere")
    with pytest.raises(BackendConflictError) as caught:
        the_one(BACKENDS_GROUP, "throwaway")
    places = f"signer-throwaway 1.0 in {tmp_path}/elsewhere, signer-throwaway 1.0 in {tmp_path}/project"
    assert places in caught.value.message


def test_egg_info_of_a_stranger_in_the_project_is_a_conflict(install: Install) -> None:
    source = install("signer-stranger", directory="project", form="egg-info").parent
    editable(install(directory="site"), source)
    with pytest.raises(BackendConflictError, match="signer-stranger"):
        the_one(BACKENDS_GROUP, "throwaway")


@pytest.mark.parametrize(
    "origin",
    ["", "not json", "[]", "{}", '{"dir_info": {"editable": true}}', '{"url": 5, "dir_info": {"editable": true}}'],
)
def test_direct_url_that_is_not_right_does_not_hide_a_conflict(install: Install, origin: str) -> None:
    (install(directory="first") / "direct_url.json").write_text(origin)
    install(directory="second")
    with pytest.raises(BackendConflictError):
        the_one(BACKENDS_GROUP, "throwaway")


BROKEN = {
    "no metadata": {"metadata": ""},
    "no name": {"metadata": "Metadata-Version: 2.1\n"},
    "no version": {"metadata": "Metadata-Version: 2.1\nName: signer-broken\n"},
    "a line without a value": {"entry_points": "[signer_core.backends]\nbroken\n"},
    "no text": {"entry_points": "[signer_core.backends]\n\udcff = broken\n"},
    "no name before the value": {"entry_points": "[signer_core.backends]\n= broken\n"},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_broken_metadata_hides_no_other(
    install: Install, broken: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    install("signer-throwaway")
    install("signer-broken", name="broken", **broken)
    with caplog.at_level(logging.WARNING, "signer_core"):
        assert claims() == ["signer-throwaway"]
        assert the_one(BACKENDS_GROUP, "noop").value == "signer_noop"
    assert {each.name for each in caplog.records} <= {"signer_core"}


@pytest.mark.parametrize("metadata", ["", "Name: signer-broken\n\nVersion: 1.0\n"], ids=["none", "in the README alone"])
def test_metadata_that_cannot_be_read_is_logged(
    install: Install, metadata: str, caplog: pytest.LogCaptureFixture
) -> None:
    install("signer-broken", name="broken", metadata=metadata)
    entry_points(BACKENDS_GROUP)
    [record] = caplog.records
    assert record.getMessage().startswith("the metadata of a distribution in ")


@pytest.mark.parametrize("name", ["Signer_Throwaway", "signer.throwaway", "signer--throwaway"])
def test_normalized_is_the_name_as_registries_compare_it(name: str) -> None:
    assert normalized(name) == "signer-throwaway"
