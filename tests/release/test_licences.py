"""Which licences may come with an installation."""

from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest
from click.testing import CliRunner

from release.__main__ import main
from release.licences import is_permissive, licence


def distribution(directory: Path, *lines: str, name: str = "thing") -> Distribution:
    place = directory / f"{name}-1.0.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text("\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines, ""]))
    return PathDistribution(place)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["License-Expression: MIT"], "MIT"),
        (["License-Expression: Apache-2.0 OR BSD-3-Clause", "License: something"], "Apache-2.0 OR BSD-3-Clause"),
        (["License: Apache-2.0"], "Apache-2.0"),
        (["License: Dual License", "Classifier: License :: OSI Approved :: MIT License"], "MIT"),
        (
            [
                "Classifier: License :: OSI Approved :: BSD License",
                "Classifier: License :: OSI Approved :: Apache Software License",
            ],
            "Apache-2.0 AND BSD-3-Clause",
        ),
        (
            [
                "Classifier: License :: OSI Approved :: MIT License",
                "Classifier: License :: OSI Approved :: GNU General Public License (GPL)",
            ],
            None,
        ),
        (["License: do what you like"], None),
        ([], None),
    ],
)
def test_licence_is_what_the_metadata_declare(lines: list[str], expected: str | None, tmp_path: Path) -> None:
    assert licence(distribution(tmp_path, *lines)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-3-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("(MIT OR GPL-2.0-only) AND ISC", True),
        ("GPL-3.0-only", False),
        ("MIT AND LGPL-2.1-or-later", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("LicenseRef-Proprietary", False),
        ("as you like", False),
        ("", False),
        (None, False),
    ],
)
def test_a_licence_is_permissive_if_one_can_choose_permissive_terms(expression: str | None, expected: bool) -> None:
    assert is_permissive(expression) is expected


def test_an_environment_with_a_licence_that_is_not_permissive_is_refused(tmp_path: Path) -> None:
    site_packages = tmp_path / "lib" / "python3.11" / "site-packages"
    distribution(site_packages, "License-Expression: MIT", name="good")
    result = CliRunner().invoke(main, ["licences", str(tmp_path)])
    assert (result.exit_code, result.output) == (0, "good: MIT\n")
    distribution(site_packages, "License-Expression: AGPL-3.0-only", name="copyleft")
    distribution(site_packages, name="silent")
    result = CliRunner().invoke(main, ["licences", str(tmp_path)])
    assert result.exit_code == 1
    assert "not known to be permissive: copyleft, silent" in result.output
