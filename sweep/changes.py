"""What a mutant is: a change of one module; and why some changes need not be found by a test."""

import re
import tomllib
from pathlib import Path
from typing import Self

import attrs

REASONS = Path(__file__).with_name("survivors.toml")
_TEXT = re.compile(r"""(["\'])((?:(?!\1).)*)\1""")
_CODEC = re.compile(r"""\b(?:en|de)code\((["\'])[\w-]+\1\)""")


@attrs.frozen(order=True)
class Change:
    """What a mutant is: a change of a module."""

    module: str
    was: str
    becomes: str

    @classmethod
    def parse(cls, diff: str) -> Self:
        """The change that a diff shows, as mutmut writes it."""
        lines = diff.splitlines()
        path = next(line.removeprefix("+++ ").strip() for line in lines if line.startswith("+++ "))
        was, becomes = (
            " ".join(line[1:].strip() for line in lines if line.startswith(sign) and not line.startswith(sign * 3))
            for sign in "-+"
        )
        return cls(path, was, becomes)

    @property
    def needs_a_reason(self) -> bool:
        """Whether it does, if no test finds it."""
        return not self.is_of_wording and not self.is_of_codec

    @property
    def is_of_wording(self) -> bool:
        """Whether it changes only the case of a message's letters, or puts something before and behind it."""
        return " " in "".join(text for _, text in _TEXT.findall(self.was)) and _words(self.was) == _words(self.becomes)

    @property
    def is_of_codec(self) -> bool:
        """Whether it changes only the case of a codec's name, which Python does not mind."""
        return self.was != self.becomes and _codecs_in_lower_case(self.was) == _codecs_in_lower_case(self.becomes)


def reasons() -> dict[Change, str]:
    """Why a change that no test finds is none that a test should find."""
    tables = tomllib.loads(REASONS.read_text("utf-8")).get("survivor", [])
    return {Change(each["module"], each["was"], each["becomes"]): each["reason"] for each in tables}


def _words(line: str) -> str:
    return line.replace("XX", "").casefold()


def _codecs_in_lower_case(line: str) -> str:
    return _CODEC.sub(lambda code: code[0].lower(), line)
