"""Clients that sign instead of sending a secret, by Authlib as it is."""

import json

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from joserfc.jwk import ECKey, OKPKey, RSAKey

from actors.grantor import ORDERS

GRANT = ["--grant", "client_credentials", "--audience", ORDERS, "--scope", "orders.read"]


@pytest.fixture(params=["RS256", "PS256", "ES256", "Ed25519", "EdDSA", "HS256"])
def session(request, grantor, tmp_path):
    """A session of a client that is registered with this algorithm."""
    alg = request.param
    if alg == "HS256":
        client = grantor.client("--auth-method", "client_secret_jwt", *GRANT)
        method, key = ClientSecretJWT, client.secret
    else:
        makers = {"ES256": lambda: ECKey.generate_key("P-256"), "EdDSA": lambda: OKPKey.generate_key("Ed25519")}
        makers |= {"Ed25519": makers["EdDSA"]}
        key = makers.get(alg, lambda: RSAKey.generate_key(2048))()
        file = tmp_path / "jwks.json"
        file.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
        keys = ["--auth-method", "private_key_jwt", "--jwks", str(file), "--auth-signing-alg", alg]
        client = grantor.client(*keys, *GRANT)
        assert client.secret is None
        method = PrivateKeyJWT
    endpoint = grantor.metadata["token_endpoint"]
    methods = {"token_endpoint_auth_method": method.name, "revocation_endpoint_auth_method": method.name}
    session = OAuth2Session(client.id, key, token_endpoint=endpoint, **methods)
    # RFC 10070: the audience is the issuer, whichever endpoint is called.
    session.register_client_auth_method(method(grantor.issuer, alg=alg))
    session.methods = (method, alg)
    return session


def test_authlib_signs_for_every_endpoint(session, grantor):
    token = session.fetch_token(grant_type="client_credentials", scope="orders.read")
    assert token["token_type"] == "Bearer" and token["scope"] == "orders.read"
    again = session.fetch_token(grant_type="client_credentials")
    assert again["access_token"] != token["access_token"], "each request has an assertion of its own"
    answer = session.introspect_token(grantor.metadata["introspection_endpoint"], token["access_token"])
    assert answer.json()["active"]
    answer = session.revoke_token(grantor.metadata["revocation_endpoint"], token["access_token"])
    assert answer.status_code == 200
    answer = session.introspect_token(grantor.metadata["introspection_endpoint"], token["access_token"])
    assert answer.json() == {"active": False}


def test_the_address_of_the_endpoint_is_no_audience(session):
    method, alg = session.methods
    session.register_client_auth_method(method(alg=alg))
    with pytest.raises(OAuthError, match="'aud' must be this server's issuer"):
        session.fetch_token(grant_type="client_credentials")
