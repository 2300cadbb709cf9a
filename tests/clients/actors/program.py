"""An example program, started as its reader would start it."""

import shutil
import socket
import sys
from pathlib import Path

from .processes import Process, clean_environment, free_port

EXAMPLES = Path(__file__).parents[3] / "examples"
# What runs a program, by the end of its name; others run by themselves.
RUN_BY = {".py": [sys.executable], ".mjs": [shutil.which("node")]}


class Program:
    """`examples/PATH` on a port; its configuration comes from the environment."""

    def __init__(self, path, directory, port=None, **configuration):
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}"
        environment = clean_environment(PORT=str(self.port), **configuration)
        command = [*RUN_BY.get(Path(path).suffix, []), str(EXAMPLES / path)]
        self.process = Process(f"{path.replace('/', '-')}-{self.port}", command, directory, environment)
        self.process.wait_until(self.is_listening, seconds=30)

    def is_listening(self):
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.stop()
