"""An authorization server with Flask and Authlib, as their documentation puts one together."""

import os

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask, jsonify, request

from grants import (
    ISSUER,
    KEYS,
    AccessTokenValidator,
    AuthorizationCodeGrant,
    IntrospectionEndpoint,
    OpenIDConnect,
    RefreshTokenGrant,
    access_tokens,
    query_client,
    save_token,
    user_info,
)
from models import User, db

# Plain HTTP on loopback, as behind a proxy that ends TLS.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

app = Flask(__name__)
app.config.update(
    SECRET_KEY=os.environ["COOKIE_SECRET"],
    # libpq's variables (PGHOST and the like) hold the address.
    SQLALCHEMY_DATABASE_URI="postgresql+psycopg://",
    # One connection for each thread of gunicorn.conf.py.
    SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 2 * int(os.environ["CORES"])},
)
db.init_app(app)

server = AuthorizationServer(app, query_client=query_client, save_token=save_token)
server.register_token_generator("default", access_tokens())
server.register_grant(grants.ClientCredentialsGrant)
server.register_grant(AuthorizationCodeGrant, [CodeChallenge(required=True), OpenIDConnect()])
server.register_grant(RefreshTokenGrant)
server.register_endpoint(IntrospectionEndpoint(issuer=ISSUER))

require_oauth = ResourceProtector()
require_oauth.register_token_validator(AccessTokenValidator(issuer=ISSUER, resource_server="https://api.example/"))


@app.post("/oauth/authorize")
def authorize():
    """Stands for sign-in and consent: whoever posts an account is signed in as it, and has agreed to everything."""
    user = db.session.get(User, int(request.form["account"]))
    grant = server.get_consent_grant(end_user=user)
    return server.create_authorization_response(grant=grant, grant_user=user)


@app.post("/oauth/token")
def token():
    return server.create_token_response()


@app.post("/oauth/introspect")
def introspect():
    return server.create_endpoint_response(IntrospectionEndpoint.ENDPOINT_NAME)


@app.get("/oauth/userinfo")
@require_oauth("openid")
def userinfo():
    user = db.session.get(User, int(current_token["sub"]))
    return jsonify(user_info(user, current_token["scope"]))


@app.get("/oauth/jwks")
def jwks():
    return jsonify(KEYS.as_dict(private=False))
