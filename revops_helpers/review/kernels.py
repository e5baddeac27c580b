"""The kernels of one run: quick to start, over private sockets, and none outlives the run.

On Linux they are forked from one process that has imported what every notebook uses, while the data is being read: a kernel
then starts in a tenth of a second instead of two or three. Elsewhere each is a process of its own, as papermill's are.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

# What every notebook of a review imports. A library that only some use is not among them, nor pulled in by these (tested).
EVERY_NOTEBOOK = (
    "ibis.backends.duckdb",
    "revops_helpers.workspace",
    "revops_helpers.metrics.measure",
    "revops_helpers.words.parts",
)
# What every kernel imports by itself.
EVERY_KERNEL = (
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "IPython.extensions.storemagic",
    "IPython.core.completerlib",
    "sqlite3",
)
# Sets have the same order in every run; the debugger says nothing.
SETTINGS = {"PYTHONHASHSEED": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
FORKS = sys.platform == "linux"


class Stopped(SystemExit):
    """The process was asked to end by SIGTERM; it does, with the status that a shell gives for it."""


class Forked:
    """A kernel that another process forked, with the part of Popen's manner that Jupyter uses."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int):
        self.pid, self.returncode = pid, None

    def poll(self) -> int | None:
        if self.returncode is None:
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                self.returncode = 1
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        end = time.monotonic() + (timeout or 60)
        while self.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        return self.returncode or 0

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class Kernels:
    """The kernels of one run, in a private folder."""

    def __init__(self, folder: Path, modules: Iterable[str]):
        self.folder, self.stopping = folder, False
        self.pids: set[int] = set()
        self.environment: dict[str, str] = {}  # what the environment of kernels that start from now on says besides
        self._numbers, self._lock = count(1), threading.Lock()
        # With an IPython folder of its own, the reader's start-up files do not run in a review.
        self._environment = os.environ | SETTINGS | {"IPYTHONDIR": str(folder / "ipython")}
        command = [sys.executable, "-m", "revops_helpers.review.nursery", *EVERY_KERNEL, *modules]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._nursery = (
            subprocess.Popen(command, cwd=folder, env=self._environment, start_new_session=True, **pipes) if FORKS else None
        )

    def launch(self, command: list[str], directory: str) -> Forked | subprocess.Popen:
        """A new kernel. `command` is what would start it as a process of its own."""
        if self.stopping:
            raise RuntimeError("no kernel starts any more: the run is ending")
        if self._nursery is None:
            started = subprocess.Popen(command, cwd=directory, env=self._own_parent(), start_new_session=True)
        else:
            with self._lock:
                try:
                    asked = {"arguments": command[3:], "directory": directory, "environment": self.environment}
                    self._nursery.stdin.write(json.dumps(asked) + "\n")
                    self._nursery.stdin.flush()
                    started = Forked(int(self._nursery.stdout.readline()))
                except (BrokenPipeError, ValueError):
                    raise RuntimeError("no kernel could be started: the process that starts them has ended") from None
        self.pids.add(started.pid)
        if self.stopping:
            self.end()
        return started

    def _own_parent(self) -> dict[str, str]:
        return self._environment | {"JPY_PARENT_PID": str(os.getpid())} | self.environment

    def manager(self) -> type:
        """The kernel manager class by which Jupyter starts kernels of this run."""
        from jupyter_client.manager import AsyncKernelManager

        kernels = self

        class Manager(AsyncKernelManager):
            def __init__(self, **settings):
                transport = "ipc" if os.name == "posix" else "tcp"
                file = str(kernels.folder / f"{next(kernels._numbers)}.json")
                super().__init__(**settings, transport=transport, connection_file=file)

            def format_kernel_cmd(self, extra_arguments=None):
                return [sys.executable, "-m", "ipykernel_launcher", "-f", self.connection_file, *(extra_arguments or [])]

            async def _async_launch_kernel(self, kernel_cmd, **arguments):
                process = kernels.launch(kernel_cmd, str(kernels.folder))
                self.provisioner.process, self.provisioner.pid, self.provisioner.pgid = process, process.pid, process.pid
                self._reconcile_connection_info(self.provisioner.connection_info)

            _launch_kernel = _async_launch_kernel

            async def _async_cleanup_resources(self, restart=False):
                if self.provisioner is not None:
                    kernels.pids.discard(self.provisioner.pid)
                await super()._async_cleanup_resources(restart)

            cleanup_resources = _async_cleanup_resources

        return Manager

    def end(self) -> None:
        """End every kernel at once, and let none start any more."""
        self.stopping = True
        if self._nursery is not None:
            self._nursery.kill()
        for pid in list(self.pids):
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def close(self) -> None:
        """End them, and leave nothing behind."""
        self.end()
        if self._nursery is not None:
            self._nursery.wait()
            with suppress(BrokenPipeError):
                self._nursery.stdin.close()
            self._nursery.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def kernels(modules: Iterable[str] = EVERY_NOTEBOOK) -> Iterator[Kernels]:
    """The kernels of a run; none is left when it ends. (After SIGKILL they notice that they are alone, and end by themselves.)"""
    with _sigterm_raises():
        held = Kernels(Path(tempfile.mkdtemp(prefix="revops-")), modules)
        try:
            yield held
        finally:
            held.close()


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Turn SIGTERM into an exception while in here, so that everything is cleared away."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number, frame):
        raise Stopped(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
