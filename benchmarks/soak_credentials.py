"""The credentials of the soak: good for so many requests, whatever time these take."""

import datetime as dt
import json
import secrets
import threading
from pathlib import Path

from signer_aws_kms.testing import FakeKms, faults
from signer_aws_kms.testing.answers import Answer

USES = 250  # requests that credentials are good for, if not a few more
#: When they end, as they say: so soon that they are renewed all the time, and too late for it to happen.
LIFETIME = dt.timedelta(minutes=12)


class Credentials:
    """What the KMS takes, and a program prints, in ``directory``.

    After :data:`USES` requests there are others, and the old ones are refused: also those of requests that are on their
    way. Whoever is refused has new ones at hand, which are good at least until the same request has come again: so no
    call is refused twice, however slow its machine is.
    """

    def __init__(self, kms: FakeKms, directory: Path) -> None:
        self._kms = kms
        self._directory = directory
        self._changes = threading.Lock()
        self._uses = 0
        self._refused: set[tuple[str, str | None]] = set()
        #: How often a request was refused, and how many credentials there were.
        self.refusals = 0
        self.count = 0
        self._identity = kms.identity
        self._replace()

    def watch(self, fault: faults.Fault) -> faults.Fault:
        """``fault``, whose requests count as uses."""

        def watched(request: faults.Request) -> Answer:
            answer = fault(request)
            self._use((request.operation, request.parameters.get("Message")), answer)
            return answer

        return watched

    def _use(self, request: tuple[str, str | None], answer: Answer) -> None:
        with self._changes:
            if b"UnrecognizedClientException" in answer.body:
                self._refused.add(request)
                self.refusals += 1
                return
            self._refused.discard(request)
            self._uses += 1
            # a call that was refused may have failed before it came again, for another reason
            if self._uses >= (10 * USES if self._refused else USES):
                self._refused.clear()
                self._replace()

    def _replace(self) -> None:
        """New credentials, as what AWS's configuration calls a credential process prints them."""
        identity = self._kms.add_identity(session_token=secrets.token_hex())
        printed = {
            "Version": 1,
            "AccessKeyId": identity.access_key_id,
            "SecretAccessKey": identity.secret_access_key,
            "SessionToken": identity.session_token,
            "Expiration": (dt.datetime.now(dt.UTC) + LIFETIME).isoformat(),
        }
        Path(self._directory, "next").write_text(json.dumps(printed))
        Path(self._directory, "next").replace(Path(self._directory, "credentials"))
        self._kms.remove_identity(self._identity)
        self._identity = identity
        self._uses = 0
        self.count += 1
