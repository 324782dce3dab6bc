"""How long something is left alone that gave nothing new."""

from collections.abc import Callable

_SHORTEST = 1.0


class Pause:
    """A pause of a second, of twice as long each time that it is begun again, of ``longest`` seconds at last."""

    def __init__(self, *, longest: float, clock: Callable[[], float]) -> None:
        self._longest = longest
        self._clock = clock
        self._began_at = 0.0
        self._seconds = 0.0

    def begin(self) -> None:
        """Begin a pause, longer than the last one."""
        self._began_at = self._clock()
        self._seconds = min(max(_SHORTEST, 2 * self._seconds), self._longest)

    def end(self) -> None:
        """There is no pause, and the next one is a short one."""
        self._seconds = 0.0

    def left(self, *, longest: float | None = None) -> float:
        """The seconds until the pause is over, 0.0 if it is; for those who wait no longer than ``longest``."""
        seconds = self._seconds if longest is None else min(self._seconds, longest)
        return max(0.0, self._began_at + seconds - self._clock())
