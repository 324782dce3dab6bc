"""ministack, an AWS emulator, as a process in an environment of its own (it pins another botocore than ours)."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import boto3

COMMAND = ["uv", "tool", "run", "--from", "ministack==1.5.33", "--with", "cryptography", "ministack"]
PATIENCE = 180.0  # seconds until it must answer; the first time it is downloaded
REGION = "us-east-1"
ROOT = {"aws_access_key_id": "AKIAROOTROOTROOTROOT", "aws_secret_access_key": "root-secret-of-ministack"}


class Ministack:
    """A running ministack: KMS, IAM and STS, with signatures and policies checked."""

    def __init__(self, log: Path) -> None:
        self._log = log
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "UV_PROJECT", "VIRTUAL_"))
        }
        environment.update(
            BIND_HOST="127.0.0.1",
            GATEWAY_PORT=str(self.port),
            SERVICES="kms,iam,sts",
            AUTH="true",
            IOT_MTLS_ENABLED="0",
            SFTP_ENABLED="0",
            LOG_LEVEL="WARNING",
            AWS_ACCESS_KEY_ID=ROOT["aws_access_key_id"],
            AWS_SECRET_ACCESS_KEY=ROOT["aws_secret_access_key"],
        )
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                COMMAND,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        try:
            self._wait_until_healthy()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, **credentials: str) -> Any:
        """A plain boto3 client: root's, unless other credentials are given."""
        return boto3.client(service, endpoint_url=self.endpoint_url, region_name=REGION, **(credentials or ROOT))

    def user(self, name: str, policy: dict[str, Any]) -> dict[str, str]:
        """The credentials of a new IAM user with this policy."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="test", PolicyDocument=json.dumps(policy))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}

    def stop(self) -> None:
        """End the process and those that it started, which are a group of their own."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, number)
                self._process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue

    def _wait_until_healthy(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", "/_ministack/health")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass
            finally:
                connection.close()
            try:
                self._process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            break
        raise RuntimeError(f"ministack does not run:\n{self._log.read_text(errors='replace')}")
