"""The conformance kit passes a sound plugin, and fails each broken one by the name of the broken promise."""

import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from signer_core.testing import ExtensionConformance, SigningKeyConformance
from tests.testing.all_broken import BACKENDS, EXTENSIONS
from tests.testing.broken import Broken
from tests.testing.sound_backend import PASSWORD

pytestmark = pytest.mark.slow  # runs the kit over dozens of plugins

HERE = Path(__file__).parent


class Outcomes:
    """What became of each test of the kits, by the plugin."""

    def __init__(self, report: Path) -> None:
        self.ran: defaultdict[str, set[str]] = defaultdict(set)
        self.failed: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for case in ET.parse(report).iter("testcase"):
            plugin = case.attrib["classname"].rpartition("Test_")[2]
            test = case.attrib["name"].partition("[")[0]
            self.ran[plugin].add(test)
            for outcome in case:
                if outcome.tag in {"failure", "error", "skipped"}:
                    self.failed[plugin][test] = f"{outcome.attrib['message']}\n{outcome.text}"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """One run of the kit over all of them, in a process where they are installed."""
    directory = tmp_path_factory.mktemp("kit")
    metadata = directory / "broken_plugins-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugins\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        f"""
        [signer_core.backends]
        sound = tests.testing.sound_backend:sound
        {lines(BACKENDS)}
        [signer_core.extensions]
        sound_extension = tests.testing.sound_extension:sound
        {lines(EXTENSIONS)}
        """
    )
    report = directory / "report.xml"
    options = ["-p", "no:cacheprovider", "--rootdir", str(directory), "-c", os.devnull, "--junitxml", str(report)]
    runs = [str(HERE / name) for name in ("kit_runs.py", "extension_kit_runs.py")]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *options, *runs],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent.parent), str(directory)])},
        cwd=directory.parent,  # not the directory itself, which would be on the path twice
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert report.exists(), run.stdout + run.stderr
    return Outcomes(report)


def lines(plugins: Mapping[str, Broken]) -> str:
    return "\n".join(f"{name} = {broken.module}:{name}" for name, broken in plugins.items())


def all_of(kit: type) -> set[str]:
    return {name for name in dir(kit) if name.startswith("test_")}


KITS = pytest.mark.parametrize(
    ("kit", "sound", "broken"),
    [(SigningKeyConformance, "sound", BACKENDS), (ExtensionConformance, "sound_extension", EXTENSIONS)],
    ids=["backends", "extensions"],
)


@KITS
def test_sound_plugin_passes_every_test(
    outcomes: Outcomes, kit: type, sound: str, broken: Mapping[str, Broken]
) -> None:
    assert (outcomes.ran[sound], outcomes.failed[sound]) == (all_of(kit), {})


@KITS
def test_every_test_of_the_kit_fails_for_some_broken_plugin(
    kit: type, sound: str, broken: Mapping[str, Broken]
) -> None:
    assert {test for each in broken.values() for test in each.tests} == all_of(kit)


@pytest.mark.parametrize("plugin", [*BACKENDS, *EXTENSIONS])
def test_broken_plugin_fails_by_the_name_of_its_fault(outcomes: Outcomes, plugin: str) -> None:
    assert outcomes.failed[plugin].keys() == {**BACKENDS, **EXTENSIONS}[plugin].tests


def test_each_broken_plugin_has_a_name_of_its_own() -> None:
    assert BACKENDS.keys() & EXTENSIONS.keys() == set()


@pytest.mark.parametrize("plugin", [name for name in (*BACKENDS, *EXTENSIONS) if re.match("(secret|token)_in_", name)])
def test_failure_names_the_secret_and_does_not_show_it(outcomes: Outcomes, plugin: str) -> None:
    (failure,) = outcomes.failed[plugin].values()
    message, _, details = failure.partition("\n")
    assert re.search("shows the secret '(password|token)'", message)
    assert not any(password in details for password in ("right password", "wrong password", PASSWORD.encode().hex()))


def test_failing_assertion_shows_its_values(outcomes: Outcomes) -> None:
    assert "memory:0" in outcomes.failed["changing_key_id"]["test_identity_is_stable"]


def test_without_the_optional_fixtures_there_are_no_tests_that_need_them() -> None:
    class Bare(SigningKeyConformance):
        pass

    class Whole(Bare):
        missing_config = wrong_secret_config = breakage = None

    optional = {name for name in dir(Whole) if getattr(Bare, name, None) is None and name.startswith("test_")}
    assert optional == {
        "test_broken",
        "test_broken_ends_in_time",
        "test_cancelled_while_broken",
        "test_init_makes_a_missing_key",
        "test_missing_key",
        "test_missing_key_that_is_pinned",
        "test_wrong_secret",
    }
    assert all(callable(getattr(Whole, name)) for name in optional)


@pytest.mark.parametrize("kit", [SigningKeyConformance, ExtensionConformance])
def test_each_test_says_what_is_promised(kit: type) -> None:
    assert [name for name in all_of(kit) if not (getattr(kit, name).__doc__ or "").strip()] == []
