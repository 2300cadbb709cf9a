"""The program in Rust, as a person sees it in a terminal."""

import json
import time

from actors.processes import Process, clean_environment


class RustProgram:
    def __init__(self, binary, directory, **settings):
        self.process = Process("rust-openidconnect", [binary], directory, clean_environment(**settings))

    def said(self, beginning):
        """The rest of the line that begins so, waited for."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            ended = self.process.process.poll() is not None
            for line in self.process.output.read_text().splitlines(keepends=True):
                if line.startswith(beginning) and line.endswith("\n"):  # else there is more to come
                    return line.removeprefix(beginning).rstrip("\n")
            assert not ended, f"it ended: {self.process.log.read_text()}"
            time.sleep(0.05)
        raise AssertionError(f"it does not say {beginning!r}")

    def said_in_json(self, beginning):
        return json.loads(self.said(beginning))

    def end(self):
        """Waits until it has ended: its exit status, and what it complains of."""
        return self.process.process.wait(20), self.process.log.read_text()

    def stop(self):
        self.process.stop()
