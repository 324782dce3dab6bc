"""The benchmark suite: its own mechanics, and that the documents say what it measured."""

import re
import sys
import time
from pathlib import Path

import attrs
import pytest
from click import ClickException
from click.testing import CliRunner

from benchmarks import drawings, pages, peers, report
from benchmarks.__main__ import GROUPS, IMAGES, main
from benchmarks.comparison import Comparison, amount, compared, p99
from benchmarks.measuring import QUICK, interleaved, shortened
from benchmarks.results import COMMITTED, Group, Results

BEHIND = Comparison("a slow thing", 2.0, 1.0, 1.5)
WITHIN = Comparison("a quick thing", 1.0, 1.0, 1.5)


def results(*comparisons: Comparison) -> Results:
    group = Group(comparisons, ("a note",), {"cryptography": "49.0.0"})
    return Results(
        "2026-01-02",
        {"processor": "a processor", "cores": "2", "system": "a system", "python": "CPython"},
        {"signing": group},
    )


def test_a_comparison_is_of_medians_and_tells_the_99th_percentile_of_both() -> None:
    hundred = [float(each) for each in range(1, 102)]

    comparison = compared("it", hundred, [10.0, 20.0, 90.0], 3.0)

    assert (comparison.ours, comparison.p99) == (51.0, 100.0)
    assert (comparison.baseline, comparison.ratio) == (20.0, 2.55)
    assert comparison.kept


def test_the_99th_percentile_of_one_time_is_that_time() -> None:
    assert p99([7.0]) == 7.0


@pytest.mark.parametrize(
    ("unit", "ratio", "limit", "kept"),
    [
        ("s", 1.5, 1.5, True),
        ("s", 1.51, 1.5, False),
        ("KB", 1.51, 1.5, False),
        ("calls", 0.5, 1.0, True),
        ("/s", 2.9, 3.0, False),
        ("/s", 3.0, 3.0, True),
        ("×", 0.89, 0.9, False),
        ("s", 9.0, None, True),
    ],
)
def test_few_seconds_and_bytes_are_good_and_many_signatures_a_second(
    unit: str, ratio: float, limit: float | None, kept: bool
) -> None:
    assert Comparison("it", ratio, 1.0, limit, unit=unit).kept is kept


def test_candidates_take_turns_and_each_begins_as_many_rounds_as_the_others() -> None:
    calls: list[str] = []

    times = interleaved({name: lambda name=name: calls.append(name) for name in "abc"}, rounds=6, warm_up=3)  # type: ignore[misc]

    rounds = ["".join(calls[start : start + 3]) for start in range(0, len(calls), 3)]
    assert rounds == ["bca", "cab", "abc"] * 3
    assert {name: len(own) for name, own in times.items()} == {"a": 6, "b": 6, "c": 6}


def test_the_time_of_a_call_is_its_part_of_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def turn() -> None:
        nonlocal now
        now += 5.0

    monkeypatch.setattr(time, "perf_counter", lambda: now)

    assert interleaved({"it": turn}, rounds=3, calls=10) == {"it": [0.5, 0.5, 0.5]}


def test_a_quick_run_makes_a_twentieth_of_the_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shortened(2000) == 2000
    monkeypatch.setenv(QUICK, "1")
    assert (shortened(2000), shortened(10), shortened(10, least=1)) == (100, 3, 1)


def test_the_summary_names_each_figure_that_falls_behind() -> None:
    summary = report.summary(results(WITHIN, BEHIND))

    assert "NOT KEPT: 1 of 2 limits" in summary
    assert "NOT KEPT  signing: a slow thing: 2.000, and ≤ 1.5" in summary
    assert "a quick thing" not in summary


def test_the_summary_says_so_when_all_limits_are_kept() -> None:
    assert "All 1 limits are kept." in report.summary(results(WITHIN, attrs.evolve(BEHIND, limit=None)))


@pytest.mark.parametrize(("measured", "status"), [((WITHIN,), 0), ((WITHIN, BEHIND), 1)])
def test_the_command_shows_results_from_a_file_and_fails_if_a_limit_is_not_kept(
    tmp_path: Path, measured: tuple[Comparison, ...], status: int
) -> None:
    file, copy = tmp_path / "results.json", tmp_path / "copy.json"
    results(*measured).write(file)

    run = CliRunner().invoke(main, ["--from", str(file), "--json", str(copy)])

    assert run.exit_code == status, run.output
    assert ("NOT KEPT" in run.output) is (status == 1)
    assert copy.read_bytes() == file.read_bytes()


def test_groups_that_a_file_of_results_does_not_have_are_named(tmp_path: Path) -> None:
    results(WITHIN).write(tmp_path / "results.json")

    run = CliRunner().invoke(main, ["--from", str(tmp_path / "results.json"), "signing", "kms", "many"])

    assert (run.exit_code, run.output.splitlines()[-1]) == (2, "Error: results.json has no results of kms, many")


def test_what_falls_behind_is_red_on_a_terminal(tmp_path: Path) -> None:
    results(WITHIN, BEHIND).write(tmp_path / "results.json")

    output = CliRunner().invoke(main, ["--from", str(tmp_path / "results.json")], color=True).output

    red = [line for line in output.splitlines() if line.startswith("\x1b[31m")]
    assert len(red) == 3
    assert all("a slow thing" in line or "1 of 2" in line for line in red)


def test_figures_for_the_documents_take_a_whole_run() -> None:
    run = CliRunner().invoke(main, ["--quick", "--write"])

    assert run.exit_code == 2
    assert "leave out --quick" in run.output


def test_results_come_back_from_their_file_with_four_digits(tmp_path: Path) -> None:
    results(attrs.evolve(WITHIN, ours=1.23456, p99=0.1)).write(tmp_path / "results.json")

    assert Results.read(tmp_path / "results.json") == results(attrs.evolve(WITHIN, ours=1.235, p99=0.1))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.00003456, "s", "34.6 µs"),
        (0.012, "s", "12.0 ms"),
        (2.5, "s", "2.50 s"),
        (12345.6, "/s", "12 346 /s"),
        (64, "calls", "64"),
        (1.2345, "×", "1.23 ×"),
    ],
)
def test_figures_are_written_with_three_digits_and_a_unit(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


@pytest.mark.slow
@pytest.mark.usefixtures("unmeasured_processes")
def test_a_quick_run_of_a_group_measures_it_in_a_process_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "results.json"

    run = CliRunner().invoke(main, ["profile", "--quick", "--json", str(file)])

    assert run.exit_code == 0, run.output
    group = Results.read(file).groups["profile"]
    counted = {each.what: each for each in group.comparisons}
    assert counted["noop: functions called"].ours < counted["awskms: functions called"].ours
    assert ["noop" in group.notes[0], "awskms" in group.notes[1]] == [True, True]
    assert group.versions.keys() == {"boto3", "cryptography"}


def test_without_uv_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "MODULES", ("no_such_module",))
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("UV", raising=False)

    with pytest.raises(ClickException, match=r"pip install uv, or pip install -r benchmarks/peers\.txt"):
        peers.python_with_peers()


def test_what_to_compare_with_comes_in_an_environment_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "MODULES", ("no_such_module",))
    monkeypatch.setenv("UV", "/somewhere/uv")

    command = peers.python_with_peers()

    assert command[:2] == ["/somewhere/uv", "run"]
    assert "--no-sync" in command
    assert command[command.index("--with-requirements") + 1] == str(peers.REQUIREMENTS)


def test_where_it_is_installed_this_interpreter_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "MODULES", ("pytest",))

    assert peers.python_with_peers() == [sys.executable]


def test_figures_come_between_their_marks_and_all_else_stays() -> None:
    page = "".join(
        f"before\n\n<!-- figures: {name} -->\n<!-- end of figures -->\n\nafter\n" for name in ("machine", "signing")
    )

    once = pages.with_figures(page, results(WITHIN, BEHIND))

    assert once.count("before\n") == once.count("after\n") == 2
    assert "Measured on 2026-01-02: a processor, 2 cores, a system" in once
    assert "| a slow thing | 2.00 s |  | 1.00 s |  | 2.000 | **≤ 1.5: not kept** |" in once
    assert "```text\na note\n```\n\nWith cryptography 49.0.0." in once
    assert pages.with_figures(once, results(WITHIN, BEHIND)) == once


class TestTheDocuments:
    def test_the_page_states_the_figures_of_the_committed_results(self) -> None:
        page = pages.PAGE.read_text("utf-8")

        assert pages.with_figures(page, Results.read(COMMITTED)) == page

    def test_the_page_has_a_block_for_each_group(self) -> None:
        blocks = [name for _, name, _ in pages.BLOCK.findall(pages.PAGE.read_text("utf-8"))]

        assert sorted(blocks) == sorted([*GROUPS, "machine", "kept"])

    def test_the_committed_results_are_of_all_groups(self) -> None:
        assert tuple(Results.read(COMMITTED).groups) == GROUPS

    def test_each_chart_was_drawn_of_the_committed_results(self) -> None:
        charts = {each.name: each.digest for each in drawings.charts(Results.read(COMMITTED))}

        drawn = {
            path.stem: re.findall(r"<dc:description>(\w+)</dc:description>", path.read_text("utf-8"))
            for path in IMAGES.glob("*.svg")
        }

        assert drawn == {name: [digest] for name, digest in charts.items()}

    def test_the_page_shows_each_chart(self) -> None:
        shown = re.findall(r"\]\(\.\./images/([\w-]+)\.svg\)", pages.PAGE.read_text("utf-8"))

        assert sorted(shown) == sorted(path.stem for path in IMAGES.glob("*.svg"))

    def test_another_figure_in_the_results_is_another_page_and_another_chart(self) -> None:
        committed = Results.read(COMMITTED)
        group = committed.groups["signing"]
        slower = tuple(attrs.evolve(each, ours=each.ours * 2) for each in group.comparisons)
        groups = {**committed.groups, "signing": attrs.evolve(group, comparisons=slower)}
        other = attrs.evolve(committed, groups=groups)
        page = pages.PAGE.read_text("utf-8")

        assert pages.with_figures(page, other) != page
        assert drawings.charts(other)[0].digest != drawings.charts(committed)[0].digest
