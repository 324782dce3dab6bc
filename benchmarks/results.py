"""What was measured, where and with what: kept as JSON, so that pages and charts are made of it without measuring."""

import json
from pathlib import Path
from typing import Any

import attrs

from benchmarks.comparison import Comparison

#: Those in the documents.
COMMITTED = Path(__file__).with_name("results.json")


@attrs.frozen
class Group:
    """What one group measured."""

    comparisons: tuple[Comparison, ...]
    #: What else it has to say, as text.
    notes: tuple[str, ...]
    #: Of the distributions that were measured.
    versions: dict[str, str]


@attrs.frozen
class Results:
    """All that was measured on one machine."""

    #: The day, as ISO 8601 has it.
    taken: str
    machine: dict[str, str]
    groups: dict[str, Group]

    def not_kept(self) -> list[tuple[str, Comparison]]:
        """The figures that fall behind their limits, each with its group."""
        return [(name, each) for name, group in self.groups.items() for each in group.comparisons if not each.kept]

    def limits(self) -> int:
        """How many figures have one."""
        return sum(each.limit is not None for group in self.groups.values() for each in group.comparisons)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(attrs.asdict(self, value_serializer=_rounded), indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Results":
        content = json.loads(path.read_text("utf-8"))
        return cls(
            taken=content["taken"],
            machine=content["machine"],
            groups={name: group_of(each) for name, each in content["groups"].items()},
        )


def group_of(content: dict[str, Any]) -> Group:
    return Group(
        comparisons=tuple(Comparison(**each) for each in content["comparisons"]),
        notes=tuple(content["notes"]),
        versions=content["versions"],
    )


def _rounded(_instance: object, _field: object, value: Any) -> Any:
    """Four digits: more would be noise."""
    return float(f"{value:.4g}") if isinstance(value, float) else value
