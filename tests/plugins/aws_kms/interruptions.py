"""Ctrl-C at each point at which it can come."""

import contextlib
import dis
import functools
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, ModuleType
from typing import Any


def interrupted_at_each_point(module: ModuleType, call: Callable[[], object]) -> Iterator[int]:
    """Make ``call`` again and again, with a ``KeyboardInterrupt`` at the first point, the second… and yield after each.

    The points are those at which CPython looks for signals: at the beginning of a function, after a call, and at the
    end of a loop's round, in ``module``.
    """
    point = 0
    while True:
        counting = _Counting(module.__file__, point)
        with counting, contextlib.suppress(KeyboardInterrupt):
            call()
        if counting.left >= 0:
            return
        yield point
        point += 1


class _Counting:
    """Raises ``KeyboardInterrupt`` in this thread, ``left`` points from now."""

    def __init__(self, file: str | None, left: int) -> None:
        self.file = file
        self.left = left
        self._previous: dict[FrameType, str] = {}

    def __enter__(self) -> None:
        self._before = sys.gettrace()
        sys.settrace(self._trace)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != self.file:
            return None
        frame.f_trace_opcodes = True
        if event == "call":
            self._reached()
        elif event == "opcode":
            if self._previous.get(frame, "").startswith(("CALL", "JUMP_BACKWARD")):
                self._reached()
            self._previous[frame] = _instructions(frame.f_code)[frame.f_lasti]
        return self._trace

    def _reached(self) -> None:
        self.left -= 1
        if self.left < 0:
            sys.settrace(None)
            raise KeyboardInterrupt


@functools.cache
def _instructions(code: CodeType) -> dict[int, str]:
    return {instruction.offset: instruction.opname for instruction in dis.get_instructions(code)}
