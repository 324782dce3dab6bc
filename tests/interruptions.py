"""Ctrl-C at each point at which it can come."""

import contextlib
import dis
import functools
import itertools
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, ModuleType
from typing import Any, Self


def interrupted_at_each_point(module: ModuleType, call: Callable[[], object]) -> Iterator[int]:
    """Make ``call`` again and again, with a ``KeyboardInterrupt`` at the first point, the second… and yield after each.

    The points are those of :class:`At`.
    """
    point = 0
    while True:
        with At(point, module, _interrupt) as at, contextlib.suppress(KeyboardInterrupt):
            call()
        if at.left >= 0:
            return
        yield point
        point += 1


class At:
    """Calls ``happen`` in this thread at the point number ``left`` from now; where there are fewer, some are left.

    The points are those at which CPython looks for signals: at the beginning of a function, after a call, and at the
    end of a loop's round, in ``module``.
    """

    def __init__(self, left: int, module: ModuleType, happen: Callable[[], object]) -> None:
        self.left = left
        self._file = module.__file__
        self._happen = happen
        self._jumped: CodeType | None = None

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        code = frame.f_code
        if code.co_filename != self._file:
            return None
        frame.f_trace_opcodes = True
        if event == "call":
            self._reached()
        elif event == "opcode":
            after_call, jumps_back = _instructions(code)
            if frame.f_lasti in after_call or self._jumped is code:
                self._reached()
            self._jumped = code if frame.f_lasti in jumps_back else None
        return self._trace

    def _reached(self) -> None:
        self.left -= 1
        if self.left < 0:
            sys.settrace(None)
            self._happen()


def _interrupt() -> None:
    raise KeyboardInterrupt


@functools.cache
def _instructions(code: CodeType) -> tuple[set[int], set[int]]:
    """Where the instructions are that follow a call, and those that jump backward.

    It is not enough that a call was the one before: where other threads run the same code, CPython 3.13 does not trace
    every instruction, and one further on may be where nothing is ever interrupted.
    """
    instructions = list(dis.get_instructions(code))
    after_call = {after.offset for call, after in itertools.pairwise(instructions) if call.opname.startswith("CALL")}
    return after_call, {each.offset for each in instructions if each.opname.startswith("JUMP_BACKWARD")}
