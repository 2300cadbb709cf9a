"""The commands of `examples/README.md` do what it says."""

import re
import subprocess
from pathlib import Path

from actors.grantor import Grantor

README = Path(__file__).parents[2] / "examples" / "README.md"


def test_the_commands_that_register_everything_work(grantor, tmp_path):
    (commands,) = re.findall(r"```sh\n(grantor\(\) .*?)```", README.read_text(), re.DOTALL)
    commands = commands.replace("target/server/grantor", '"$GRANTOR"')
    fresh = Grantor(grantor.binary, tmp_path)
    try:
        environment = fresh.environment | {"GRANTOR": grantor.binary}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    finally:
        fresh.stop()
