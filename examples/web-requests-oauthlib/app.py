"""A web app that signs people in with Grantor and reads their orders: Flask and requests-oauthlib."""

import os
import secrets
import threading
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

import requests
from flask import Flask, redirect, render_template, request, session
from oauthlib.oauth2 import OAuth2Error
from requests_oauthlib import OAuth2Session

ISSUER = os.environ.get("ISSUER", "http://localhost:8080")
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
SCOPE = os.environ.get("SCOPE", "offline_access orders.read orders.admin").split()
API_URL = os.environ.get("API_URL", "http://localhost:5001")
PORT = int(os.environ.get("PORT", "5003"))
REDIRECT_URI = f"http://localhost:{PORT}/callback"

# oauthlib wants https everywhere. Only a server on this very computer may do without.
if ISSUER.startswith("http:") and urlsplit(ISSUER).hostname in ("localhost", "127.0.0.1", "::1"):
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
# Less may be granted than was asked for (RFC 6749 §3.3); oauthlib would take that for an error.
os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"

app = Flask(__name__)
app.secret_key = os.environ.get("SECRET_KEY") or secrets.token_bytes(32)
# Cookies know no ports: each app on localhost needs a name of its own.
app.config.update(SESSION_COOKIE_NAME="orders_requests_oauthlib", SESSION_COOKIE_SAMESITE="Lax")


@dataclass
class Visit:
    """What is known of one browser. Tokens stay on the server: a Flask cookie can be read by its owner."""

    sign_in: OAuth2Session | None = None  # under way: it holds the state and the PKCE verifier
    token: dict | None = None
    refreshes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


visits: dict[str, Visit] = {}  # a real app keeps them in its database, and drops old ones


@cache
def server():
    """Where the endpoints are (RFC 8414)."""
    response = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=5)
    response.raise_for_status()
    if response.json()["issuer"] != ISSUER:
        raise RuntimeError(f"{ISSUER} says that it is {response.json()['issuer']}")
    return response.json()


def begin(visit):
    """A new session id whenever somebody signs in, so that nobody can plant one."""
    visits.pop(session.get("id"), None)
    session["id"] = secrets.token_urlsafe(32)
    visits[session["id"]] = visit


def call_api(visit, path):
    """Calls the API as the person, with a fresh access token if the old one has expired."""

    def keep(token):
        visit.token = token
        visit.refreshes += 1

    with visit.lock:  # one refresh at a time, since each replaces the refresh token
        endpoint = server()["token_endpoint"]
        api = OAuth2Session(CLIENT_ID, token=visit.token, auto_refresh_url=endpoint, token_updater=keep)
        # The credentials are for the refresh alone; the API never sees them.
        return api.get(API_URL + path, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, timeout=5)


def page(status=200, **values):
    return render_template("page.html", library="requests-oauthlib", **values), status


@app.get("/")
def home():
    visit = visits.get(session.get("id"))
    if visit is None or visit.token is None:
        return page()
    try:
        answer = call_api(visit, "/orders")
    except OAuth2Error as error:  # the refresh token has ended: the person signs in again
        visit.token = None
        return page(error=error.error)
    return page(visit=visit, answer=answer)


@app.get("/sign-in")
def sign_in():
    oauth = OAuth2Session(CLIENT_ID, scope=SCOPE, redirect_uri=REDIRECT_URI, pkce="S256")
    url, _state = oauth.authorization_url(server()["authorization_endpoint"])
    begin(Visit(sign_in=oauth))
    return redirect(url)


@app.get("/callback")
def callback():
    visit = visits.get(session.get("id"))
    # RFC 9207: an answer from another server than the one we asked is not for us.
    if visit is None or visit.sign_in is None or request.args.get("iss") != ISSUER:
        return page(400, error="This answer belongs to no sign-in that began here.")
    oauth, visit.sign_in = visit.sign_in, None
    answer = f"{REDIRECT_URI}?{request.query_string.decode()}"
    try:  # checks the state, raises what the server reported, then redeems the code
        token = oauth.fetch_token(
            server()["token_endpoint"], authorization_response=answer, client_secret=CLIENT_SECRET, timeout=5
        )
    except OAuth2Error as error:
        return page(400, error=error.error)
    begin(Visit(token=token))
    return redirect("/")


@app.post("/expire")
def expire():
    """For show: treats the access token as expired, so that the next call refreshes it."""
    visit = visits.get(session.get("id"))
    if visit and visit.token:
        visit.token["expires_at"] = 1
    return redirect("/", 303)


@app.post("/sign-out")
def sign_out():
    """Forgets the person here, and tells Grantor that the tokens are no longer needed (RFC 7009)."""
    visit = visits.pop(session.pop("id", None), None)
    if visit and visit.token:
        data = {"token": visit.token["refresh_token"]}
        requests.post(server()["revocation_endpoint"], data, auth=(CLIENT_ID, CLIENT_SECRET), timeout=5)
    return redirect("/", 303)


if __name__ == "__main__":
    app.run("127.0.0.1", PORT)
