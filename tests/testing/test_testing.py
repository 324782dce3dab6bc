"""The conformance kit passes a sound backend, and fails each broken one by the name of the broken promise."""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from signer_core.testing import SigningKeyConformance
from tests.testing.all_broken import BROKEN
from tests.testing.sound_backend import PASSWORD

HERE = Path(__file__).parent


class Outcomes:
    """What became of each test of the kit, by the backend."""

    def __init__(self, report: Path) -> None:
        self.ran: defaultdict[str, set[str]] = defaultdict(set)
        self.failed: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for case in ET.parse(report).iter("testcase"):
            backend = case.attrib["classname"].rpartition("Test_")[2]
            test = case.attrib["name"].partition("[")[0]
            self.ran[backend].add(test)
            for outcome in case:
                if outcome.tag in {"failure", "error", "skipped"}:
                    self.failed[backend][test] = f"{outcome.attrib['message']}\n{outcome.text}"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """One run of the kit over all of them, in a process where they are installed."""
    directory = tmp_path_factory.mktemp("kit")
    metadata = directory / "broken_backends-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-backends\nVersion: 1.0\n")
    backends = [f"{name} = {broken.module}:{name}" for name, broken in BROKEN.items()]
    lines = ["[signer_core.backends]", "sound = tests.testing.sound_backend:sound", *backends]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    report = directory / "report.xml"
    options = ["-p", "no:cacheprovider", "--rootdir", str(directory), "-c", os.devnull, "--junitxml", str(report)]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *options, str(HERE / "kit_runs.py")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent.parent), str(directory)])},
        cwd=directory.parent,  # not the directory itself, which would be on the path twice
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert report.exists(), run.stdout + run.stderr
    return Outcomes(report)


def test_sound_backend_passes_every_test(outcomes: Outcomes) -> None:
    tests = {name for name in dir(SigningKeyConformance) if name.startswith("test_")}
    assert (outcomes.ran["sound"], outcomes.failed["sound"]) == (tests, {})


@pytest.mark.parametrize("backend", BROKEN)
def test_broken_backend_fails_by_the_name_of_its_fault(outcomes: Outcomes, backend: str) -> None:
    assert outcomes.failed[backend].keys() == BROKEN[backend].tests


def test_every_test_of_the_kit_fails_for_some_broken_backend() -> None:
    assert {name for name in dir(SigningKeyConformance) if name.startswith("test_")} == {
        test for broken in BROKEN.values() for test in broken.tests
    }


@pytest.mark.parametrize("backend", [name for name in BROKEN if name.startswith("secret_in_")])
def test_failure_names_the_secret_and_does_not_show_it(outcomes: Outcomes, backend: str) -> None:
    (failure,) = outcomes.failed[backend].values()
    message, _, details = failure.partition("\n")
    assert "shows the secret 'password'" in message
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


@pytest.mark.parametrize("name", [name for name in dir(SigningKeyConformance) if name.startswith("test_")])
def test_each_test_says_what_is_promised(name: str) -> None:
    assert (getattr(SigningKeyConformance, name).__doc__ or "").strip()
