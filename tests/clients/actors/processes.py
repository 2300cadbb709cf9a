"""Starts a program, waits until it serves, ends that program and no other."""

import contextlib
import os
import random
import socket
import subprocess
import time
from pathlib import Path


def free_port():
    """Below the ports that the system gives to connections, so that none of those takes it meanwhile."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("none of a hundred ports is free")


def clean_environment(**values):
    """This environment without what would lead Grantor to somebody's real database, plus `values`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GRANTOR_", "DATABASE_URL", "OAUTHLIB_")) and not name.lower().endswith("_proxy")
    }
    return kept | values


class Process:
    """A program with its output in `DIRECTORY/NAME.out` and `DIRECTORY/NAME.log`."""

    def __init__(self, name, command, directory, environment):
        self.name = name
        self.output = Path(directory, f"{name}.out")
        self.log = Path(directory, f"{name}.log")
        with self.output.open("wb") as output, self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=log, env=environment
            )

    def wait_until(self, ready, seconds):
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
