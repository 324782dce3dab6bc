"""``python -m benchmarks [GROUP]…``: measure, print a table and a summary; exit with 1 if a limit is not kept."""

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from benchmarks import report
from benchmarks.machine import machine
from benchmarks.measuring import QUICK
from benchmarks.pages import write_page
from benchmarks.peers import ROOT, python_with_peers
from benchmarks.results import COMMITTED, Group, Results, group_of

GROUPS = ("signing", "starting", "opening", "kms", "callers", "many", "executors", "hedging", "growth", "profile")
WITH_PEERS = ("signing", "callers")
IMAGES = ROOT / "docs" / "images"


@click.command(help="Measure all groups, or some, beside their baselines; fail if a limit is not kept.")
@click.argument("groups", nargs=-1, type=click.Choice(GROUPS))
@click.option("--quick", is_flag=True, help="A twentieth of the rounds: shows that all of it works, and no more.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the results to this file, too.")
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, path_type=Path),
    help="Measure nothing: show the results in this file.",
)
@click.option("--write", is_flag=True, help="Put the results into the documents: figures, tables and charts.")
def main(groups: tuple[str, ...], *, quick: bool, file: Path | None, source: Path | None, write: bool) -> None:
    if write and quick:
        raise click.UsageError("figures for the documents take a whole run: leave out --quick")
    if source is not None:
        results = Results.read(source)
        if missing := [name for name in groups if name not in results.groups]:
            raise click.UsageError(f"{source.name} has no results of {', '.join(missing)}")
        for name in groups or results.groups:
            click.echo(report.table(name, results.groups[name]))
    else:
        results = measured(groups or GROUPS, quick=quick)
    if file is not None:
        results.write(file)
    if write:
        publish(results)
    click.echo(f"\n{report.summary(results)}")
    sys.exit(1 if results.not_kept() else 0)


def measured(names: tuple[str, ...], *, quick: bool) -> Results:
    facts = machine()
    click.echo(", ".join(facts.values()))
    click.echo("Beside what is measured stands its baseline; both were measured in one run, in turns.")
    groups = {}
    for name in names:
        click.echo(report.title(name))
        click.echo(report.HEAD)
        groups[name] = group(name, quick=quick)
        click.echo("  with " + ", ".join(f"{each} {version}" for each, version in groups[name].versions.items()))
    return Results(dt.datetime.now(dt.UTC).date().isoformat(), facts, groups)


def group(name: str, *, quick: bool) -> Group:
    python = python_with_peers() if name in WITH_PEERS else [sys.executable]
    environment = {each: value for each, value in os.environ.items() if each != QUICK}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "group.json")
        done = subprocess.run(
            [*python, "-m", "benchmarks.one_group", name, str(path)],
            cwd=ROOT,
            env={**environment, QUICK: "1"} if quick else environment,
            check=False,
        )
        if done.returncode != 0:
            raise click.ClickException(f"the group {name} could not be measured; above it says why")
        return group_of(json.loads(path.read_text("utf-8")))


def publish(results: Results) -> None:
    """Into the documents; what was not measured now stays, if it was measured in the same place."""
    if COMMITTED.exists():
        before = Results.read(COMMITTED)
        missing = [name for name in before.groups if name not in results.groups]
        if missing and before.machine != results.machine:
            raise click.UsageError(f"the figures of {', '.join(missing)} are from another machine: measure all groups")
        groups = {**before.groups, **results.groups}
        results = Results(results.taken, results.machine, {name: groups[name] for name in GROUPS if name in groups})
    results.write(COMMITTED)
    write_page(Results.read(COMMITTED))
    subprocess.run([*python_with_peers(), "-m", "benchmarks.charts", str(COMMITTED), str(IMAGES)], cwd=ROOT, check=True)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
