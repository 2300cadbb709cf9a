"""The stage: one Grantor, the four example programs, and a fresh browser for each test."""

import os
from pathlib import Path

import pytest

from actors.browser import Browser
from actors.grantor import ORDERS, Grantor
from actors.issuer import Issuer
from actors.processes import free_port
from actors.program import Program
from actors.relying_party import RelyingParty

ROOT = Path(__file__).parents[2]
SCOPES = "openid offline_access roles orders.read orders.admin"


@pytest.fixture(scope="session")
def binary():
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return os.environ.get("GRANTOR_BIN", str(target / "debug" / "grantor"))


@pytest.fixture(scope="session")
def grantor(binary, tmp_path_factory):
    grantor = Grantor(binary, tmp_path_factory.mktemp("grantor"))
    grantor.run("scope", "create", "orders.read", "--description", "See your orders")
    grantor.run("scope", "create", "orders.admin", "--description", "See the orders of everybody", "--restricted")
    grantor.run("role", "create", "admin", "--scope", "orders.admin")
    grantor.run("role", "create", "staff")
    yield grantor
    grantor.stop()


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """Starts example programs, and ends them at the end."""
    programs = []

    def start(path, **configuration):
        programs.append(Program(path, tmp_path_factory.mktemp("program"), **configuration))
        return programs[-1]

    yield start
    for program in programs:
        program.stop()


@pytest.fixture(scope="session", params=["api-flask", "api-fastapi"])
def api(request, grantor, start):
    return start(f"{request.param}/api.py", ISSUER=grantor.issuer, AUDIENCE=ORDERS)


@pytest.fixture(scope="session")
def web_apps(grantor, start):
    """Both web apps, each registered, in front of one API each."""
    apps = {}
    for name, api_name in [("web-requests-oauthlib", "api-flask"), ("web-authlib", "api-fastapi")]:
        api = start(f"{api_name}/api.py", ISSUER=grantor.issuer, AUDIENCE=ORDERS)
        port = free_port()
        client = grantor.web_client(f"http://localhost:{port}/callback", SCOPES, name=f"Orders ({name})")
        secrets = {"CLIENT_ID": client.id, "CLIENT_SECRET": client.secret}
        apps[name] = start(f"{name}/app.py", port=port, ISSUER=grantor.issuer, API_URL=api.url, **secrets)
        apps[name].client = client
    return apps


@pytest.fixture(params=["web-requests-oauthlib", "web-authlib"])
def web_app(request, web_apps):
    return web_apps[request.param]


@pytest.fixture(scope="session")
def relying_party(grantor):
    party = RelyingParty().register(grantor, SCOPES, name="Bakery")
    yield party
    party.stop()


@pytest.fixture(scope="session")
def issuer():
    issuer = Issuer()
    yield issuer
    issuer.stop()


@pytest.fixture
def browser(tmp_path):
    browser = Browser(tmp_path / "profile")
    yield browser
    browser.stop()


@pytest.fixture
def browser_without_javascript(tmp_path):
    browser = Browser(tmp_path / "profile", javascript=False)
    yield browser
    browser.stop()
