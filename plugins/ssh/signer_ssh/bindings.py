"""What a connection to the agent is used for: the sessions that its client has bound it to."""

from signer_core.errors import InvalidSignatureError
from signer_ssh.authentication import SESSION_ID_SIZES, AuthenticationRequest
from signer_ssh.errors import RefusedError
from signer_ssh.keys import verify
from signer_ssh.messages import SessionBind

_MOST = 16  # hops, as in OpenSSH's agent


class Bindings:
    """The sessions of one connection, in order: those that it was forwarded through, then the one to log in to.

    A client that binds none, as there are others than OpenSSH's, is asked for no session. See PROTOCOL.agent in
    OpenSSH, "session-bind@openssh.com".
    """

    def __init__(self) -> None:
        self._sessions: list[SessionBind] = []

    def bind(self, session: SessionBind) -> None:
        """Bind the connection to one more session.

        Raises :class:`~signer_ssh.errors.RefusedError`; for a host key of a kind that is not known here
        :class:`~signer_ssh.errors.MalformedError`.
        """
        if len(session.session_id) not in SESSION_ID_SIZES:
            raise RefusedError("no session has such an id")
        try:
            verify(session.host_key, session.signature, session.session_id)
        except InvalidSignatureError:
            raise RefusedError("the host's signature of the session is wrong") from None
        if any(not each.is_forwarding for each in self._sessions):
            raise RefusedError("the connection is bound to a session to log in to already")
        if any(each.session_id == session.session_id for each in self._sessions):
            raise RefusedError("the connection is bound to that session already")
        if len(self._sessions) >= _MOST:
            raise RefusedError(f"the connection is bound to {_MOST} sessions already")
        self._sessions.append(session)

    def check(self, request: AuthenticationRequest) -> None:
        """Refuse a request of another session than the last one bound, if any was.

        Raises :class:`~signer_ssh.errors.RefusedError`.
        """
        if not self._sessions:
            return
        last = self._sessions[-1]
        if last.session_id != request.session_id:
            raise RefusedError("it is of another session than the one that the connection is bound to")
        if last.is_forwarding:
            raise RefusedError("it is of a session that only forwards requests")
        if request.host_key not in (None, last.host_key):
            raise RefusedError("it names another host key than that of its session")
