"""The Orders API in Flask: every route wants an access token from Grantor."""

import os
from functools import wraps

import jwt
from flask import Flask, g, jsonify, request

ISSUER = os.environ.get("ISSUER", "http://localhost:8080")
AUDIENCE = os.environ.get("AUDIENCE", "https://orders.example")  # the name of this API, not its address
PORT = int(os.environ.get("PORT", "5001"))

# Keeps the keys for five minutes, and looks again at most every 30 seconds when a token names an unknown one.
signing_keys = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json", timeout=5)

app = Flask(__name__)


class TokenRefused(Exception):
    """Becomes the answer of RFC 6750 §3: a status and a `WWW-Authenticate` header."""

    def __init__(self, status, **challenge):
        self.status = status
        self.challenge = challenge


@app.errorhandler(TokenRefused)
def refuse(refused):
    challenge = "".join(f', {name}="{value}"' for name, value in refused.challenge.items())
    body = jsonify(refused.challenge or {"error_description": "Send an access token: Authorization: Bearer …"})
    return body, refused.status, {"WWW-Authenticate": f'Bearer realm="orders"{challenge}'}


@app.errorhandler(jwt.PyJWKClientConnectionError)
def unavailable(_):
    return jsonify(error_description="The keys of the issuer cannot be reached."), 503, {"Retry-After": "5"}


def bearer_token():
    """The token of the `Authorization` header: the only place where it may stand (OAuth 2.1 §5.1)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenRefused(401)  # nothing was sent, so nothing was wrong: no error code
    return token


def verify(token):
    """The claims of an access token that this issuer signed for this API (RFC 9068 §4)."""
    header = jwt.get_unverified_header(token)
    if header.get("typ") not in ("at+jwt", "application/at+jwt"):
        raise jwt.InvalidTokenError("not an access token")  # an ID token has the same key and issuer
    return jwt.decode(
        token,
        signing_keys.get_signing_key(header.get("kid")),
        algorithms=["RS256"],  # never from the token's own header
        issuer=ISSUER,
        audience=AUDIENCE,
        leeway=10,  # seconds that the clocks may differ
        options={"require": ["iss", "aud", "exp", "iat", "sub", "client_id"]},
    )


def token_required(scope=None):
    """Lets a request in with a valid token, which holds `scope` if one is given. Sets `g.claims`."""

    def decorate(view):
        @wraps(view)
        def guarded(*args, **kwargs):
            try:
                g.claims = verify(bearer_token())
            except jwt.PyJWKClientConnectionError:
                raise  # 503: that is not the token's fault
            except jwt.PyJWTError:  # its text may quote the token, so it is not repeated
                description = "The access token has expired, or was not issued for this API."
                raise TokenRefused(401, error="invalid_token", error_description=description) from None
            if scope and scope not in g.claims.get("scope", "").split():
                raise TokenRefused(403, error="insufficient_scope", scope=scope)
            return view(*args, **kwargs)

        return guarded

    return decorate


def is_admin():
    """Whether the person is an admin, and let this app act as one."""
    return "admin" in g.claims.get("roles", [])


def who_calls():
    """What the token says of the person and the app, for a reader to see."""
    return {name: g.claims[name] for name in ("sub", "client_id", "scope", "roles") if name in g.claims}


@app.get("/me")
@token_required()
def me():
    return who_calls()


@app.get("/orders")
@token_required("orders.read")
def my_orders():
    return {"orders": ["tea", "bread"], "token": who_calls()}


@app.get("/all-orders")
@token_required()
def all_orders():
    if not is_admin():
        raise TokenRefused(403, error="insufficient_scope", error_description="Only admins see all orders.")
    return {"orders": ["tea", "bread", "a piano"]}


if __name__ == "__main__":
    app.run("127.0.0.1", PORT)
