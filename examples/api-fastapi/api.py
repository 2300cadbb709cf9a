"""The Orders API in FastAPI: every route depends on an access token from Grantor."""

import os
from typing import Annotated

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

ISSUER = os.environ.get("ISSUER", "http://localhost:8080")
AUDIENCE = os.environ.get("AUDIENCE", "https://orders.example")  # the name of this API, not its address
PORT = int(os.environ.get("PORT", "5002"))

# Keeps the keys for five minutes, and looks again at most every 30 seconds when a token names an unknown one.
signing_keys = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json", timeout=5)

app = FastAPI(title="Orders")


def refused(status, detail, **challenge):
    """The answer of RFC 6750 §3: a status and a `WWW-Authenticate` header."""
    challenge = "".join(f', {name}="{value}"' for name, value in challenge.items())
    return HTTPException(status, detail, {"WWW-Authenticate": f'Bearer realm="orders"{challenge}'})


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


# Not `async`: now and then the keys are fetched, and FastAPI runs a plain function beside the event loop.
def access_token(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> dict:
    """The claims of the request's access token."""
    if credentials is None:  # nothing was sent, so nothing was wrong: no error code
        raise refused(401, "Send an access token: Authorization: Bearer …")
    try:
        return verify(credentials.credentials)
    except jwt.PyJWKClientConnectionError:  # that is not the token's fault
        raise HTTPException(503, "The keys of the issuer cannot be reached.", {"Retry-After": "5"}) from None
    except jwt.PyJWTError:  # its text may quote the token, so it is not repeated
        description = "The access token has expired, or was not issued for this API."
        raise refused(401, description, error="invalid_token", error_description=description) from None


AccessToken = Annotated[dict, Depends(access_token)]


def requires(scope):
    """A dependency that also wants `scope` in the token."""

    def check(claims: AccessToken) -> dict:
        if scope not in claims.get("scope", "").split():
            raise refused(403, f"This needs the scope {scope}.", error="insufficient_scope", scope=scope)
        return claims

    return check


def is_admin(claims: AccessToken) -> dict:
    """Lets in a person who is an admin, and who let this app act as one."""
    if "admin" not in claims.get("roles", []):
        raise refused(403, "Only admins see all orders.", error="insufficient_scope")
    return claims


def who_calls(claims: AccessToken) -> dict:
    """What the token says of the person and the app, for a reader to see."""
    return {name: claims[name] for name in ("sub", "client_id", "scope", "roles") if name in claims}


@app.get("/me")
def me(caller: Annotated[dict, Depends(who_calls)]) -> dict:
    return caller


@app.get("/orders", dependencies=[Depends(requires("orders.read"))])
def my_orders(caller: Annotated[dict, Depends(who_calls)]) -> dict:
    return {"orders": ["tea", "bread"], "token": caller}


@app.get("/all-orders", dependencies=[Depends(is_admin)])
def all_orders() -> dict:
    return {"orders": ["tea", "bread", "a piano"]}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT)
