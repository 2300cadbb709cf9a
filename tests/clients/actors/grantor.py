"""The real binary, on a database of its own."""

import itertools
import json
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property

import requests

from .processes import Process, clean_environment, free_port

ORDERS = "https://orders.example"
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Client:
    id: str
    secret: str | None

    @property
    def credentials(self):
        return (self.id, self.secret)


@dataclass(frozen=True)
class Person:
    id: str
    username: str
    password: str = PASSWORD


class Grantor:
    def __init__(self, binary, directory, **settings):
        """Starts it; `settings` are environment variables."""
        self.binary = binary
        self.state = directory / "state"
        self.environment = clean_environment(GRANTOR_STATE_DIR=str(self.state), **settings)
        port = free_port()
        self.issuer = f"http://localhost:{port}"
        self.numbers = itertools.count(1)
        command = [binary, "serve", "--listen", f"127.0.0.1:{port}"]
        self.process = Process("grantor", command, directory, self.environment)
        self.process.wait_until(self.is_ready, seconds=90)

    def is_ready(self):
        return any(line.startswith("ready: ") for line in self.process.output.read_text().splitlines())

    def stop(self):
        self.process.stop()
        # As root the private cluster may lie elsewhere, and would stay behind.
        location = self.state / "cluster-location"
        if location.exists():
            shutil.rmtree(location.read_text().rstrip("\n"))

    def run(self, *arguments, stdin=None):
        """Runs `grantor ARGUMENTS --json`, as an operator beside the running server."""
        command = [self.binary, *arguments, "--json"]
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, env=self.environment, timeout=60, check=False
        )
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
        return json.loads(done.stdout)

    def client(self, *arguments, name=None):
        """Registers a client; `arguments` are those of `grantor client create`."""
        name = name or f"Client {next(self.numbers)}"
        created = self.run("client", "create", "--name", name, *arguments)
        return Client(created["client_id"], created.get("client_secret"))

    def web_client(self, redirect_uri, scope, name=None):
        """Registers a confidential web app that calls the Orders API."""
        return self.client("--redirect-uri", redirect_uri, "--scope", scope, "--audience", ORDERS, name=name)

    def person(self, *roles, username=None):
        """Registers a person, who has consented to nothing yet."""
        username = username or f"person{next(self.numbers)}"
        options = [option for role in roles for option in ("--role", role)]
        email = f"{username}@example.com"
        command = ["user", "create", "--username", username, "--email", email, "--password-stdin", *options]
        return Person(self.run(*command, stdin=PASSWORD + "\n")["id"], username)

    @property
    def demo_person(self):
        """The person whom a first run makes."""
        demo = json.loads((self.state / "demo-credentials.json").read_text())
        return Person(None, demo["username"], demo["password"])

    @cached_property
    def metadata(self):
        return requests.get(f"{self.issuer}/.well-known/oauth-authorization-server", timeout=10).json()

    def post(self, endpoint, client, **form):
        """A form to an endpoint of the metadata, with the client's credentials."""
        url = self.metadata[f"{endpoint}_endpoint"]
        return requests.post(url, form, auth=client.credentials, timeout=10, allow_redirects=False)
