"""The process that kernels are forked from: it imports once what they all use, and then forks one for every line it is told.

Run by `kernels.py` as `python -m revops_helpers.review.nursery MODULE …`; ends when its standard input does, and the kernels
end when it does. A fork copies one thread only, so what starts threads when imported is told to stop them: DuckDB opens a
connection of its own, whose pool makes forked processes crash now and then (duckdb/duckdb-python#292).
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys


def main(modules: list[str]) -> None:
    """Import the modules, then answer every line of JSON with the process id of a new kernel."""
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # read when ipykernel is imported
    sys.path[:] = [path for path in sys.path if path not in ("", os.getcwd())]
    for module in modules:
        importlib.import_module(module)
    if "duckdb" in sys.modules:
        sys.modules["duckdb"].default_connection().close()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the dead
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        told = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.environ.update(told["environment"])
            _kernel(told["arguments"], told["directory"])
        print(pid, flush=True)


def _kernel(arguments: list[str], directory: str) -> None:
    """Become a kernel. Does not return."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.chdir(directory)
    sys.argv = ["ipykernel_launcher", *arguments]
    from ipykernel.kernelapp import IPKernelApp

    try:
        IPKernelApp.launch_instance(arguments)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
