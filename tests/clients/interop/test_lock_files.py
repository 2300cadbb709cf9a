"""What `npm ci` and cargo install comes from the public registries, and is what was looked at."""

import json
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
LOCK_FILES = [*EXAMPLES.glob("*/package-lock.json"), *ROOT.glob("benches/peers/*/package-lock.json")]
CRATES = "registry+https://github.com/rust-lang/crates.io-index"


@pytest.mark.parametrize("lock_file", sorted(LOCK_FILES), ids=lambda path: path.parent.name)
def test_npm_packages_come_from_a_registry_and_are_what_was_looked_at(lock_file):
    packages = json.loads(lock_file.read_text())["packages"]
    packages.pop("")  # the package itself
    assert packages
    for name, package in packages.items():
        # A package from elsewhere would have to name its address; one that names none is asked of the registry.
        assert "resolved" not in package and "link" not in package, name
        assert package["integrity"].startswith("sha512-"), name


def test_crates_come_from_the_public_registry():
    packages = tomllib.loads((EXAMPLES / "rust-openidconnect" / "Cargo.lock").read_text())["package"]
    dependencies = [package for package in packages if package["name"] != "rust-openidconnect"]
    assert dependencies
    for package in dependencies:
        assert package["source"] == CRATES, package["name"]
        assert package["checksum"], package["name"]
