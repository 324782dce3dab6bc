"""Batches on a Dask cluster of two workers, one of which is killed in the middle."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from signer_aws_kms.testing import FakeKms
from signer_core import Signer, create_signer
from signer_core.errors import ConfigError, DeadlineExceededError, SignError
from tests.keys import SEED

if TYPE_CHECKING:  # a second to import, which a run that leaves these tests out does not take
    from distributed import Client

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("unmeasured_processes")]

NOOP = {"backend": "noop", "seed": SEED.hex()}
ALIAS = "alias/sequencer"
#: Seconds for what takes some on a machine that is busy with other tests.
LONG = 240.0


@pytest.fixture(scope="module")
def kms(unmeasured_processes: None) -> Iterator[FakeKms]:
    """A fake KMS to which the environment leads, also that of processes that are started while it runs."""
    with FakeKms() as kms, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in kms.environment().items():
            patch.setenv(name, value)
        kms.create_key(alias=ALIAS)
        yield kms


@contextmanager
def cluster(place: Path) -> Iterator["Client"]:
    from distributed import Client, LocalCluster

    local = LocalCluster(
        n_workers=2,
        threads_per_worker=2,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        local_directory=str(place),
        silence_logs=50,
    )
    with local, Client(local) as client:
        yield client


@pytest.fixture(scope="module")
def client(kms: FakeKms, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Client"]:
    with cluster(tmp_path_factory.mktemp("dask")) as client:
        yield client


@pytest.fixture
def executor(client: "Client") -> Executor:
    executor: Executor = client.get_executor()
    return executor


@pytest.fixture
def doomed(kms: FakeKms, tmp_path: Path) -> Iterator["Client"]:
    """The client of a cluster that loses a worker."""
    with cluster(tmp_path) as client:
        yield client


class Killing(Executor):
    """Another executor, of which a process is killed once some of the work is done."""

    def __init__(self, executor: Executor, process: int, *, after: int) -> None:
        self._executor = executor
        self._process = process
        self._after = after
        self.futures: list[Future[Any]] = []
        self.left = 0

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> "Future[Any]":
        future = self._executor.submit(function, *arguments, **options)
        self.futures.append(future)
        future.add_done_callback(self._count)
        return future

    def _count(self, _: "Future[Any]") -> None:
        self._after -= 1
        if self._after == 0:
            os.kill(self._process, signal.SIGKILL)
            self.left = sum(not future.done() for future in self.futures)


def sign_and_kill(signer: Signer, messages: list[bytes], client: "Client", *, after: int) -> None:
    """Sign on the cluster, kill a worker after some chunks, and see that nothing is lost or out of order."""
    killed, _ = client.run(os.getpid).values()
    executor = Killing(client.get_executor(), killed, after=after)
    signatures = signer.sign_many(messages, executor=executor, timeout=LONG)
    assert executor.left > 0
    public_key = signer.public_key.to_cryptography()  # there are very many
    for message, signature in zip(messages, signatures, strict=True):
        public_key.verify(signature, message)


def test_a_hundred_thousand_signatures(doomed: "Client") -> None:
    with create_signer(NOOP) as signer:
        sign_and_kill(signer, [b"message %d" % number for number in range(100_000)], doomed, after=20)


def test_five_thousand_signatures_of_kms(doomed: "Client", kms: FakeKms) -> None:
    with create_signer({"backend": "awskms", "key_id": ALIAS}) as signer:
        sign_and_kill(signer, [b"message %d" % number for number in range(5_000)], doomed, after=8)


def test_each_worker_opens_a_signer_once(executor: Executor, kms: FakeKms) -> None:
    with create_signer({"backend": "awskms", "key_id": ALIAS}, name="once") as signer:
        opened = kms.requests["GetPublicKey"]
        for _ in range(3):
            signer.sign_many([b"message %d" % number for number in range(200)], executor=executor, timeout=LONG)
        assert kms.requests["GetPublicKey"] - opened == 2


def test_equal_messages_are_signed_each(executor: Executor, kms: FakeKms) -> None:
    """Dask takes equal work for one."""
    with create_signer({"backend": "awskms", "key_id": ALIAS}) as signer:
        before = kms.requests["Sign"]
        signatures = signer.sign_many([b"same"] * 64, executor=executor, timeout=LONG)
        assert len(signatures) == 64
        assert kms.requests["Sign"] - before == 64


def test_extensions_are_attached_in_the_workers(executor: Executor, tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    with create_signer({**NOOP, "extensions": {"audit": {"path": str(log)}}}) as signer:
        signer.sign_many([b"message %d" % number for number in range(100)], executor=executor, timeout=LONG)
    assert log.read_text("utf-8").count('"signed"') == 100


def test_secret_that_only_this_process_has_fails_in_the_worker(
    executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from signer_core import init_signer

    monkeypatch.setenv("ONLY_HERE", "correct horse")
    config = {"backend": "file", "path": tmp_path / "key", "passphrase": "env:ONLY_HERE"}
    with init_signer(config) as signer, pytest.raises(ConfigError, match=r"ONLY_HERE.*is not set") as raised:
        signer.sign_many([b"message"], executor=executor, timeout=LONG)
    assert raised.value.__notes__ == ["in a worker of ClientExecutor"]


def test_a_batch_ends_when_its_time_is_up_and_the_next_one_is_signed(executor: Executor) -> None:
    with create_signer(NOOP) as signer:
        with pytest.raises(DeadlineExceededError):
            signer.sign_many([b"message"] * 20_000, executor=executor, timeout=0.01)
        assert signer.sign_many([b"next"], executor=executor, timeout=LONG) == [signer.sign(b"next")]


def test_executor_that_was_shut_down(client: "Client") -> None:
    executor = client.get_executor()
    executor.shutdown()
    with create_signer(NOOP) as signer, pytest.raises(SignError, match="ClientExecutor takes no work"):
        signer.sign_many([b"message"], executor=executor)
