"""The stage: one Grantor that may reach the apps on this computer, and the apps."""

import json
import os
import re
import shlex
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from actors.browser import Browser
from actors.grantor import Client, Grantor
from actors.processes import free_port
from rust_program import RustProgram

README = Path(__file__).parents[3] / "examples" / "README.md"


@pytest.fixture(scope="session")
def ports():
    """Chosen before Grantor starts, which is told where it may send logout tokens."""
    return {"web-openid-client": free_port(), "apache-mod-auth-openidc": free_port()}


@pytest.fixture(scope="session")
def grantor(binary, ports, tmp_path_factory):
    settings = {
        "GRANTOR_OUTGOING_ALLOWED_ORIGINS": ",".join(f"http://localhost:{port}" for port in ports.values()),
        "GRANTOR_REGISTRATION_MODE": "token",
    }
    grantor = Grantor(binary, tmp_path_factory.mktemp("grantor"), **settings)
    yield grantor
    grantor.stop()


@pytest.fixture(scope="session")
def single_page_app(grantor, start):
    return start_single_page_app(grantor, start)


@pytest.fixture(scope="session")
def restless_single_page_app(grantor, start):
    """It renews access tokens that are good for ten minutes when they are a few seconds old."""
    return start_single_page_app(grantor, start, RENEW_BEFORE="597")


def start_single_page_app(grantor, start, **settings):
    return start_app(grantor, start, "spa-oidc-client-ts/serve.mjs", 5005, free_port(), **settings)


@pytest.fixture(scope="session")
def openid_client_app(grantor, ports, start):
    return start_app(grantor, start, "web-openid-client/app.mjs", 5006, ports["web-openid-client"])


@pytest.fixture(scope="session")
def app_behind_apache():
    """Answers with the headers that it was sent."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(self.headers.items()).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def apache(grantor, ports, start, app_behind_apache):
    port = ports["apache-mod-auth-openidc"]
    site = start_app(grantor, start, "apache-mod-auth-openidc/run", 5007, port, APP_URL=app_behind_apache)
    # It refreshes access tokens in their last minute: here when they are two seconds old.
    grantor.run("client", "update", site.client.id, "--access-token-lifetime", "62s")
    return site


def start_app(grantor, start, path, port_of_readme, port, **settings):
    client = registered_as_the_readme_says(grantor, f"localhost:{port_of_readme}", f"localhost:{port}")
    secret = {"CLIENT_SECRET": client.secret} if client.secret else {}
    app = start(path, port=port, ISSUER=grantor.issuer, CLIENT_ID=client.id, **secret, **settings)
    app.client = client
    return app


def registered_as_the_readme_says(grantor, address, actual_address):
    """Runs the command of `examples/README.md` in which this address stands, with another in its place."""
    commands = re.findall(r"^target/server/grantor (client create (?:.*\\\n)*.*)$", README.read_text(), re.MULTILINE)
    (command,) = [command for command in commands if address in command]
    words = shlex.split(command.replace("\\\n", " ").replace(address, actual_address))
    created = grantor.run(*words)
    return Client(created["client_id"], created.get("client_secret"))


@pytest.fixture(scope="session")
def native_client(grantor):
    return registered_as_the_readme_says(grantor, "127.0.0.1/", "127.0.0.1/")


@pytest.fixture(params=["single_page_app", "openid_client_app", "apache"])
def app(request):
    """Each app that runs in, or is used with, a browser."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def second_browser(tmp_path):
    browser = Browser(tmp_path / "second-profile")
    yield browser
    browser.stop()


@pytest.fixture
def rust_program(grantor, tmp_path):
    """Starts the program in Rust, and ends it."""
    programs = []

    def start(**settings):
        binary = os.environ["RUST_OPENIDCONNECT"]
        programs.append(RustProgram(binary, tmp_path, ISSUER=grantor.issuer, **settings))
        return programs[-1]

    yield start
    for program in programs:
        program.stop()
