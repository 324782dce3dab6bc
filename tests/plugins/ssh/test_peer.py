"""Who is at the other end of a socket."""

import ctypes
import os
import socket
from typing import Any

import pytest

from signer_ssh.peer import user_at


def test_it_is_the_user_of_the_process_that_connected() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert user_at(ours) == os.geteuid()


class Libc:
    """The getpeereid(3) of other systems, which this one may not have."""

    def __init__(self, failed: int) -> None:
        self.failed = failed

    def getpeereid(self, descriptor: int, uid: Any, gid: Any) -> int:
        os.fstat(descriptor)
        uid._obj.value, gid._obj.value = (7, 8) if not self.failed else (0, 0)
        return self.failed


@pytest.mark.parametrize(("failed", "user"), [(0, 7), (-1, None)])
def test_elsewhere_getpeereid_tells(failed: int, user: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.uname", lambda: os.uname_result(("Darwin", "", "", "", "")))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Libc(failed))
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert user_at(ours) == user
