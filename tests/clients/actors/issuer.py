"""An issuer that signs whatever a test wants, so that APIs can be shown tokens that Grantor never makes."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

KID = "the-key"


class Issuer:
    def __init__(self):
        self.key = rsa.generate_private_key(65537, 2048)
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        jwks = json.dumps({"keys": [jwk | {"kid": KID, "use": "sig", "alg": "RS256"}]}).encode()

        class Keys(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(jwks)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
        self.url = f"http://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def public_pem(self):
        encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(encoding, form)

    def claims(self, audience, **changes):
        """Those of a good access token with `changes`; a change to None leaves the claim out."""
        now = int(time.time())
        good = {
            "iss": self.url,
            "aud": audience,
            "sub": "someone",
            "client_id": "an-app",
            "iat": now,
            "exp": now + 60,
            "jti": "1",
            "scope": "orders.read",
        }
        return {name: value for name, value in (good | changes).items() if value is not None}

    def sign(self, claims, key=None, alg="RS256", **changes):
        """A JWS put together by hand, since PyJWT rightly refuses to make some of these."""
        header = {"typ": "at+jwt", "kid": KID, "alg": alg} | changes
        header = {name: value for name, value in header.items() if value is not None}
        parts = [jwt.utils.base64url_encode(json.dumps(part).encode()) for part in (header, claims)]
        signature = jwt.get_algorithm_by_name(alg).sign(b".".join(parts), key or self.key)
        return b".".join([*parts, jwt.utils.base64url_encode(signature)]).decode()
