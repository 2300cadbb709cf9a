"""Verifies tokens as APIs in Python do: reads one per line, and tells at the end how many each library refused.

  verifier.py JWKS_URL ISSUER MAX_AGE
"""

import sys
import time

import jwt
import requests
from joserfc import jwt as jose
from joserfc.jwk import KeySet

url, issuer, max_age = sys.argv[1], sys.argv[2], int(sys.argv[3])
pyjwt_keys = jwt.PyJWKClient(url, lifespan=max_age)
jose_keys, fetched = None, 0.0
verified, refused = 0, {"PyJWT": 0, "joserfc": 0}


def by_pyjwt(token):
    key = pyjwt_keys.get_signing_key_from_jwt(token)
    jwt.decode(token, key, algorithms=["RS256"], issuer=issuer, options={"verify_aud": False})


def by_joserfc(token):
    global jose_keys, fetched
    if time.monotonic() - fetched >= max_age:
        jose_keys, fetched = KeySet.import_key_set(requests.get(url, timeout=5).json()), time.monotonic()
    claims = jose.decode(token, jose_keys, algorithms=["RS256"]).claims
    assert claims["iss"] == issuer and claims["exp"] > time.time()


for line in sys.stdin:
    verified += 1
    for name, verify in (("PyJWT", by_pyjwt), ("joserfc", by_joserfc)):
        try:
            verify(line.strip())
        except Exception as error:  # every reason is a failure
            refused[name] += 1
            print(name, repr(error), file=sys.stderr)
print(verified, *refused.values())
