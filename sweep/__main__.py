"""``python -m sweep [PART]…``: look for faults; exit with 1 if there are any."""

import math
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import click

from sweep import fuzzing, mutation, properties
from sweep.groups import ROOT, groups

PARTS = ("properties", "fuzz", "soak", "mutation")
#: Signatures in a second that the soak makes at least; it is told a number, not a time.
_SOAKED_PER_SECOND = 300


def _finite(_: click.Context, __: click.Parameter, minutes: float) -> float:
    if not math.isfinite(minutes):
        raise click.BadParameter(f"{minutes} is no time in which anything ends")
    return minutes


def _known(context: click.Context, _: click.Parameter, only: tuple[str, ...]) -> tuple[str, ...]:
    parts = context.params["parts"] or PARTS
    names = [
        name for part, of_part in (("fuzz", _targets), ("mutation", _groups)) if part in parts for name in of_part()
    ]
    for name in only:
        if name not in names:
            known = f"none of {', '.join(names)}" if names else "for fuzz or mutation"
            raise click.BadParameter(f"{name!r} is {known}")
    return only


@click.command(help="Look for faults, in all ways or in some, for MINUTES; each gets the same part of them.")
@click.argument("parts", nargs=-1, type=click.Choice(PARTS), is_eager=True)
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), default=20.0, show_default=True, callback=_finite
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    callback=_known,
    help="A target of fuzz, or a group of mutation; may be repeated.",
)
@click.option("--fresh", is_flag=True, help="Forget what mutation found before, and try all mutants again.")
def main(parts: tuple[str, ...], *, minutes: float, only: tuple[str, ...], fresh: bool) -> None:
    """Run as a program."""
    parts, found = parts or PARTS, list[str]()
    seconds = minutes * 60 / len(parts)
    for part in parts:
        click.echo(f"== {part}, for {seconds / 60:.1f} minutes ==")
        began = time.monotonic()
        match part:
            case "properties":
                found += _properties(seconds)
            case "fuzz":
                found += _fuzz(seconds, only)
            case "soak":
                found += _soak(seconds)
            case _:
                found += _mutation(seconds, only, fresh=fresh)
        click.echo(f"took {time.monotonic() - began:.0f}s")
    click.echo("\n".join(["== found ==", *found]) if found else "nothing found")
    sys.exit(1 if found else 0)


def _properties(seconds: float) -> Iterator[str]:
    searched = properties.search(seconds)
    click.echo(searched)
    for each in searched.failures:
        click.echo(each)
        yield f"a property does not hold: {each.splitlines()[-1]}"


def _fuzz(seconds: float, only: tuple[str, ...]) -> Iterator[str]:
    names = _chosen(_targets(), only)
    random.shuffle(names)  # a short time does not suffice for all, and not always for the same
    for name, share in shared(names, seconds):
        fuzzed = fuzzing.fuzz(name, share)
        click.echo(fuzzed)
        if not fuzzed.ended_well:
            inputs = ", ".join(str(path.relative_to(ROOT)) for path in fuzzed.found) or "no input was kept"
            yield f"{name}: {inputs}; mend it, and put the input into tests/regressions/{name}/"


def _soak(seconds: float) -> Iterator[str]:
    signatures = max(4000, round(seconds * _SOAKED_PER_SECOND))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.soak", "--signatures", str(signatures)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=max(120.0, 4 * seconds),
        )
        if done.returncode:
            yield "the soak broke a promise"
    except subprocess.TimeoutExpired:
        yield f"the soak did not make {signatures} signatures in time"


def _mutation(seconds: float, only: tuple[str, ...], *, fresh: bool) -> Iterator[str]:
    end, names = time.monotonic() + seconds, _chosen(_groups(), only)
    chosen = [each for each in groups() if each.name in names]
    for number, group in enumerate(chosen):
        share = (end - time.monotonic()) / (len(chosen) - number)
        result = mutation.mutate(group, seconds=share, fresh=fresh)
        click.echo(result)
        for name, change in result.survivors.items():
            yield f"{name} survives:\n  - {change.was}\n  + {change.becomes}"
        for change in result.outdated:
            yield f"sweep/survivors.toml has a reason for what does not survive, in {change.module}: {change.becomes}"


def shared(
    names: Sequence[str], seconds: float, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[tuple[str, float]]:
    """Each name with its part, in seconds, of the time that is left when its turn comes, as long as any is."""
    end = clock() + seconds
    for number, name in enumerate(names):
        left = end - clock()
        if left <= 0:
            click.echo(f"no time was left for {', '.join(names[number:])}")
            return
        yield name, left / (len(names) - number)


def _targets() -> list[str]:
    from sweep.targets import TARGETS

    return list(TARGETS)


def _groups() -> list[str]:
    return [each.name for each in groups()]


def _chosen(names: list[str], only: tuple[str, ...]) -> list[str]:
    return [name for name in names if name in only] or names


if __name__ == "__main__":
    main(prog_name="python -m sweep")
