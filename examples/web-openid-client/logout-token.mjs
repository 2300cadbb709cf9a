// Logout tokens of OpenID Connect Back-Channel Logout, verified with jose.
import { createRemoteJWKSet, jwtVerify } from "jose";

const EVENT = "http://schemas.openid.net/event/backchannel-logout";

/**
 * A function that reads tokens for this client from this issuer, and throws for any other (§2.6). The same token may
 * come twice, since Grantor sends it again when an answer is lost.
 * @returns {(token: string) => Promise<{sid?: string, sub?: string}>}
 */
export function logoutTokens({ issuer, jwks_uri: jwksUri }, clientId) {
  const keys = createRemoteJWKSet(new URL(jwksUri), { timeoutDuration: 5000 });
  const expected = {
    issuer,
    audience: clientId,
    algorithms: ["RS256"], // never from the token's own header
    typ: "logout+jwt", // an ID token has the same key, issuer and audience
    requiredClaims: ["iat", "exp", "jti", "events"],
    clockTolerance: 10, // seconds that the clocks may differ
  };

  return async function read(token) {
    const { sid, sub, nonce, events } = (await jwtVerify(token, keys, expected)).payload;
    if (!events?.[EVENT]) throw new Error("it tells of no logout");
    if (nonce !== undefined) throw new Error("it has a nonce, which only ID tokens have");
    if (!sid && !sub) throw new Error("it names neither a session nor a person");
    return { sid, sub };
  };
}
