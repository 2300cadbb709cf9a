"""The tables. Clients and codes use Authlib's mixins; access tokens are not stored, since they are JWTs."""

import time

from authlib.integrations.sqla_oauth2 import OAuth2AuthorizationCodeMixin, OAuth2ClientMixin
from authlib.oauth2.rfc6749 import TokenMixin
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy(session_options={"expire_on_commit": False})

THIRTY_DAYS = 30 * 24 * 60 * 60


class User(db.Model):
    __tablename__ = "users"

    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.Text, nullable=False)
    email = db.Column(db.Text, nullable=False)

    def get_user_id(self):
        return self.id


class Client(db.Model, OAuth2ClientMixin):
    __tablename__ = "clients"

    id = db.Column(db.Integer, primary_key=True)


class AuthorizationCode(db.Model, OAuth2AuthorizationCodeMixin):
    __tablename__ = "authorization_codes"

    id = db.Column(db.BigInteger, primary_key=True)
    user_id = db.Column(db.Integer, nullable=False)


class RefreshToken(db.Model, TokenMixin):
    __tablename__ = "refresh_tokens"

    id = db.Column(db.BigInteger, primary_key=True)
    refresh_token = db.Column(db.String(48), unique=True, nullable=False)
    client_id = db.Column(db.String(48), nullable=False)
    user_id = db.Column(db.Integer, nullable=False)
    scope = db.Column(db.Text, nullable=False)
    issued_at = db.Column(db.Integer, nullable=False, default=lambda: int(time.time()))
    revoked_at = db.Column(db.Integer, nullable=False, default=0)

    def check_client(self, client):
        return self.client_id == client.get_client_id()

    def get_scope(self):
        return self.scope

    def get_expires_in(self):
        return THIRTY_DAYS

    def is_revoked(self):
        return bool(self.revoked_at)

    def is_expired(self):
        return self.issued_at + THIRTY_DAYS < time.time()
