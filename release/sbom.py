"""The bill of materials of a release: all distributions and what they require, as a clean environment gets it."""

import json
import sys
from pathlib import Path

from release.programs import run
from release.workspace import metadata, projects


def write_sbom(source: Path, dist: Path, sbom: Path, *, epoch: str) -> None:
    """Install the wheels of ``dist``, without extras, and write what came with them: CycloneDX 1.6, JSON.

    cyclonedx-py checks it against the schema. The same versions and ``epoch`` give the same bytes.
    """
    environment = dist.parent / "environment-for-sbom"
    names = [f"{metadata(each)['name']}=={metadata(each)['version']}" for each in projects(source)]
    run("uv", "venv", "--python", sys.executable, environment)
    run(
        "uv",
        "pip",
        "install",
        "--python",
        environment,
        "--prerelease",
        "if-necessary-or-explicit",
        "--find-links",
        dist,
        *names,
    )
    run(
        *("cyclonedx-py", "environment", "--pyproject", source / "pyproject.toml", "--mc-type", "library"),
        *("--spec-version", "1.6", "--output-format", "JSON", "--output-reproducible", "--validate"),
        *("--output-file", sbom, environment),
        environment={"SOURCE_DATE_EPOCH": epoch},
    )
    bill = json.loads(sbom.read_text("utf-8"))
    subject = bill["metadata"]["component"]
    # cyclonedx-py gives one to the components only, and whoever looks for known weaknesses asks by it
    subject["purl"] = f"pkg:pypi/{subject['name']}@{subject['version']}"
    sbom.write_text(json.dumps(bill, indent=2, ensure_ascii=False), "utf-8")
