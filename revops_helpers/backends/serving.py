"""One Spark for all processes of a review: a Spark Connect server on this machine, which lets in who knows its token.

Each notebook would start a Spark of its own, and warm it up; a server starts once, and is the quicker the longer it runs.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from revops_helpers.address import Address
from revops_helpers.engine import local_spark
from revops_helpers.settings import InputError

MODULE = "revops_helpers.backends.serving"
SERVICE = "org.apache.spark.sql.connect.service.SparkConnectService$"
SERVER = {
    "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.connect.grpc.binding.port": "0",  # one that is free
}


@contextmanager
def shared(address: Address) -> Iterator[dict[str, str]]:
    """What the environment of every process says, so that all of them share the engine at the address; this one says it too.

    Empty for an engine that is shared as it is. The server of spark://local ends with the block, and with this process.
    InputError when it does not start.
    """
    if (address.scheme, address.host) != ("spark", "local"):
        yield {}
        return
    secret = {address.engine.secret: secrets.token_urlsafe()}
    pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    command = [sys.executable, "-m", MODULE]
    # What it says goes to a file: a pipe that nobody reads would fill in a long review, and Spark would wait for ever.
    with (
        tempfile.TemporaryFile("w+") as words,
        subprocess.Popen(command, env=os.environ | secret, start_new_session=True, text=True, stderr=words, **pipes) as server,
    ):
        port = server.stdout.readline().strip()
        if not port:
            server.wait()
            words.seek(0)
            said = (words.read().strip() or "it ended at once").splitlines()[-1]
            raise InputError(f"{address}: {address.engine.name} cannot be used: {said}")
        told = secret | {"REVOPS_ENGINE": f"spark://localhost:{port}"}
        before = {name: os.environ[name] for name in told if name in os.environ}
        os.environ.update(told)
        try:
            yield told
        finally:
            for name in told:
                os.environ.pop(name)
            os.environ.update(before)


def serve() -> None:
    """Serve the Spark of this process until standard input ends; its port is the one line on standard output."""
    try:
        session = local_spark(SERVER)
    except InputError as error:
        sys.exit(str(error))
    service = getattr(getattr(session._jvm, SERVICE), "MODULE$")
    print(service.localPort(), flush=True)
    sys.stdin.read()
    os._exit(0)  # Java ends when its own standard input does


if __name__ == "__main__":
    serve()
