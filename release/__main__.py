"""``python -m release``: the commands for those who make releases."""

import datetime as dt
import shutil
import tempfile
from pathlib import Path

import click

from release import artefacts, changelog, sums, workspace
from release.dependencies import check_licences, write_page
from release.programs import Refused, run
from release.sbom import write_sbom

ROOT = Path()  # wherever the command is run


def _version(_: click.Context, __: click.Parameter, value: str) -> str:
    if not workspace.VERSION.fullmatch(value):
        raise click.BadParameter(f"{value!r} is none; write one such as 1.2.0 or 1.2.0rc1")
    return value


version_argument = click.argument("version", callback=_version)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Make a release of all distributions. Run it in the top directory of a checkout."""
    if not Path("signer_core", "py.typed").is_file():
        raise Refused("run this in the top directory of a checkout")


@main.command()
@version_argument
def prepare(version: str) -> None:
    """Write VERSION into every pyproject.toml and into the changelog, to be looked at and committed."""
    if changelog.is_told(ROOT, version):
        raise Refused(f"CHANGELOG.md has a section of {version} already")
    changed = [
        changelog.give_version(ROOT, version, dt.datetime.now(dt.UTC).date()),
        *workspace.set_version(ROOT, version),
    ]
    for path in changed:
        click.echo(f"wrote {path.relative_to(ROOT)}")


@main.command()
@version_argument
@click.option("--key", type=click.Path(path_type=Path), required=True, help="The public key of the signer that signs.")
@click.option("--config", type=click.Path(path_type=Path), help="Where that signer is configured, for signer-ssh-sign.")
@click.option("--output", type=click.Path(path_type=Path), default="dist", help="A new directory.  [default: dist]")
def build(version: str, key: Path, config: Path | None, output: Path) -> None:
    """Build, check, list and sign the release VERSION of the commit that is checked out."""
    _check_checkout(version)
    sums.check_key(ROOT, key)
    if output.exists():
        raise Refused(f"{output} is there already; nothing is written into an older release")
    epoch = run("git", "log", "-1", "--format=%ct").strip()
    with tempfile.TemporaryDirectory(prefix="signer-release-") as directory:
        source, dist = Path(directory, "source"), Path(directory, "dist")
        source.mkdir()
        archive = Path(directory, "source.tar")
        run("git", "archive", "--output", archive, "HEAD")
        shutil.unpack_archive(archive, source, filter="data")
        artefacts.build(source, dist, epoch=epoch)
        write_sbom(source, dist, dist / f"signer-core-{version}.cdx.json", epoch=epoch)
        listed = sums.write_sums(dist).read_text("utf-8")
        sums.sign(dist, key.absolute(), config.absolute() if config else None)
        sums.verify(dist, ROOT / sums.ALLOWED)
        shutil.copytree(dist, output)
    click.echo(listed, nl=False)
    click.echo(f"\n{output} has the release {version} with the signatures, each verified.")
    click.echo(f"now: git tag -s v{version} && twine upload {output}/*.whl {output}/*.tar.gz; publish all files of it")


def _check_checkout(version: str) -> None:
    """Refuse a checkout that is not, whole and committed, that of this version."""
    problems = workspace.differences(ROOT, version)
    if not changelog.is_told(ROOT, version):
        problems.append(f"CHANGELOG.md has no section ## [{version}] - YYYY-MM-DD")
    if problems:
        raise Refused("\n".join([*problems, f"python -m release prepare {version} writes all of that"]))
    changed = run("git", "status", "--porcelain").splitlines()
    if changed:
        raise Refused("\n".join(["a release is made of what is committed, and this is not:", *changed]))
    tagged = run("git", "tag", "--list", f"v{version}").strip()
    if tagged and run("git", "rev-parse", f"{tagged}^{{commit}}") != run("git", "rev-parse", "HEAD"):
        raise Refused(f"{tagged} is another commit than the one that is checked out")


@main.command()
def dependencies() -> None:
    """Write versions, sizes and licences of all dependencies into docs/explanation/dependencies.md."""
    click.echo(f"wrote {write_page(ROOT)}")


@main.command()
@click.argument("environment", type=click.Path(exists=True, path_type=Path))
def licences(environment: Path) -> None:
    """Refuse licences, of what is installed in ENVIRONMENT, that are not known to be permissive."""
    for line in check_licences(environment):
        click.echo(line)


if __name__ == "__main__":
    main(prog_name="python -m release")
