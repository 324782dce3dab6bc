"""Who is at the other end of a Unix socket."""

import os
import socket
import struct


def user_at(connection: socket.socket) -> int | None:
    """The number of the user whose process connected; None where the system does not tell.

    Linux has SO_PEERCRED, unix(7); macOS and the BSDs have getpeereid(3).
    """
    if os.uname().sysname == "Linux":
        credentials = struct.Struct("iII")  # pid, uid, gid
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
        user: int = credentials.unpack(found)[1]
        return user
    import ctypes

    uid, gid = ctypes.c_uint32(), ctypes.c_uint32()
    failed = ctypes.CDLL(None).getpeereid(connection.fileno(), ctypes.byref(uid), ctypes.byref(gid))
    return None if failed else uid.value
