"""A web app that signs people in with Grantor (OpenID Connect) and reads their orders: Flask and Authlib."""

import os
import secrets
import threading
from dataclasses import dataclass, field
from functools import cache

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from flask import Flask, redirect, render_template, request, session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ISSUER = os.environ.get("ISSUER", "http://localhost:8080")
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
SCOPE = os.environ.get("SCOPE", "openid offline_access orders.read orders.admin")
API_URL = os.environ.get("API_URL", "http://localhost:5001")
PORT = int(os.environ.get("PORT", "5004"))
REDIRECT_URI = f"http://localhost:{PORT}/callback"

app = Flask(__name__)
app.secret_key = os.environ.get("SECRET_KEY") or secrets.token_bytes(32)
# Cookies know no ports: each app on localhost needs a name of its own.
app.config.update(SESSION_COOKIE_NAME="orders_authlib", SESSION_COOKIE_SAMESITE="Lax")


@dataclass
class Visit:
    """What is known of one browser. Tokens stay on the server: a Flask cookie can be read by its owner."""

    sign_in: dict | None = None  # under way: its state, nonce and PKCE verifier
    token: dict | None = None
    person: dict | None = None  # the claims of the ID token
    refreshes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


visits: dict[str, Visit] = {}  # a real app keeps them in its database, and drops old ones


def get_json(url):
    response = requests.get(url, timeout=5)
    response.raise_for_status()
    return response.json()


@cache
def server():
    """Where the endpoints are (OpenID Connect Discovery §4)."""
    metadata = get_json(f"{ISSUER}/.well-known/openid-configuration")
    if metadata["issuer"] != ISSUER:
        raise RuntimeError(f"{ISSUER} says that it is {metadata['issuer']}")
    return metadata


def client(**options):
    return OAuth2Session(
        CLIENT_ID,
        CLIENT_SECRET,
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
        token_endpoint=server()["token_endpoint"],
        default_timeout=5,
        **options,
    )


def verified_id_token(token, nonce):
    """The claims of an ID token that was issued to us, for this sign-in, with this access token."""
    keys = KeySet.import_key_set(get_json(server()["jwks_uri"]))
    id_token = jwt.decode(token["id_token"], keys, algorithms=["RS256"])
    expected = {"iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": CLIENT_ID}}
    bound_to = {"nonce": nonce, "client_id": CLIENT_ID, "access_token": token["access_token"]}
    claims = CodeIDToken(id_token.claims, id_token.header, expected, bound_to)
    claims.validate(leeway=10)
    return dict(claims)


def begin(visit):
    """A new session id whenever somebody signs in, so that nobody can plant one."""
    visits.pop(session.get("id"), None)
    session["id"] = secrets.token_urlsafe(32)
    visits[session["id"]] = visit


def call_api(visit, path):
    """Calls the API as the person, with a fresh access token if the old one has less than a minute left."""

    def keep(token, **_replaced):
        visit.token = token
        visit.refreshes += 1

    with visit.lock:  # one refresh at a time, since each replaces the refresh token
        return client(token=visit.token, update_token=keep).get(API_URL + path)


def page(status=200, **values):
    return render_template("page.html", library="Authlib", **values), status


@app.get("/")
def home():
    visit = visits.get(session.get("id"))
    if visit is None or visit.token is None:
        return page()
    try:
        answer = call_api(visit, "/orders")
    except AuthlibBaseError as error:  # the refresh token has ended: the person signs in again
        visit.token = None
        return page(error=error.error)
    return page(visit=visit, answer=answer)


@app.get("/sign-in")
def sign_in():
    verifier, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    endpoint = server()["authorization_endpoint"]
    url, state = client(scope=SCOPE).create_authorization_url(endpoint, code_verifier=verifier, nonce=nonce)
    begin(Visit(sign_in={"state": state, "nonce": nonce, "verifier": verifier}))
    return redirect(url)


@app.get("/callback")
def callback():
    visit = visits.get(session.get("id"))
    begun, answer = visit and visit.sign_in, request.args
    # RFC 9207: an answer from another server than the one we asked is not for us.
    if not begun or answer.get("state") != begun["state"] or answer.get("iss") != ISSUER:
        return page(400, error="This answer belongs to no sign-in that began here.")
    visit.sign_in = None
    if "code" not in answer:  # ask first: without a code `fetch_token` would try another grant
        return page(400, error=answer.get("error"))
    try:
        token = client().fetch_token(code=answer["code"], code_verifier=begun["verifier"])
        person = verified_id_token(token, begun["nonce"])
    except (AuthlibBaseError, JoseError) as error:
        return page(400, error=error.error)
    begin(Visit(token=token, person=person))
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
        client().revoke_token(server()["revocation_endpoint"], visit.token["refresh_token"])
    return redirect("/", 303)


if __name__ == "__main__":
    app.run("127.0.0.1", PORT)
