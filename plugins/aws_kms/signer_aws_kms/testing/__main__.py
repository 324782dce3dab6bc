"""A fake KMS to play with: prints the environment that leads to it, and runs until its standard input ends.

With an alias, there is a key of that name from the start::

    $ python -m signer_aws_kms.testing --alias alias/sequencer
    export AWS_ACCESS_KEY_ID=AKIA…
    …

What is printed goes into the shell in which AWS's tools, or programs in any language, shall find it. Unset AWS_PROFILE
and AWS_SESSION_TOKEN there, if they are set: they would win.
"""

import argparse
import shlex
import sys

from signer_aws_kms.testing.server import FakeKms


def main() -> None:
    """Run the server."""
    parser = argparse.ArgumentParser(
        prog="python -m signer_aws_kms.testing", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1; by default a free one")
    parser.add_argument("--alias", action="append", default=[], help="make an Ed25519 key with this alias, alias/…")
    arguments = parser.parse_args()
    kms = FakeKms(port=arguments.port)
    try:
        for alias in arguments.alias:
            kms.create_key(alias=alias)
        kms.start()
    except (ValueError, OverflowError, OSError) as error:
        parser.error(str(error))
    try:
        for name, value in kms.environment().items():
            print(f"export {name}={shlex.quote(value)}")  # noqa: T201 — its output
        print(flush=True)  # noqa: T201
        sys.stdin.read()
    except KeyboardInterrupt:
        pass
    finally:
        kms.stop()


if __name__ == "__main__":
    main()
