// A web app that signs people in with Grantor, and hears of it when they sign out elsewhere: Node and openid-client.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import * as oidc from "openid-client";
import { logoutTokens } from "./logout-token.mjs";
import { page } from "./page.mjs";

const { ISSUER = "http://localhost:8080", CLIENT_ID, CLIENT_SECRET, PORT = "5006" } = process.env;
const SCOPE = process.env.SCOPE ?? "openid profile email offline_access";
const HERE = `http://localhost:${PORT}`;
const COOKIE = "notes_openid_client"; // cookies know no ports: each app on localhost needs a name of its own

if (!CLIENT_ID || !CLIENT_SECRET) throw new Error("CLIENT_ID or CLIENT_SECRET is missing, see examples/README.md");

const issuer = new URL(ISSUER);
// The library wants https everywhere. Only a server on this very computer may do without.
const execute = ["localhost", "127.0.0.1", "[::1]"].includes(issuer.hostname) ? [oidc.allowInsecureRequests] : [];
const grantor = await oidc.discovery(issuer, CLIENT_ID, CLIENT_SECRET, undefined, { execute, timeout: 5 });
const readLogoutToken = logoutTokens(grantor.serverMetadata(), CLIENT_ID);

/**
 * What is known of each browser, by the id in its cookie. A real app keeps this in its database, and drops old ones.
 * @type {Map<string, {begun?: object, tokens?: object, person?: object, refreshes?: number, refreshing?: Promise}>}
 */
const visits = new Map();

/** A new id whenever somebody signs in, so that nobody can plant one. */
function begin(request, visit) {
  visits.delete(visitId(request));
  const id = randomBytes(32).toString("base64url");
  visits.set(id, visit);
  return { "Set-Cookie": `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Lax` }; // and `Secure` under https
}

function visitId(request) {
  const cookies = (request.headers.cookie ?? "").split("; ");
  return cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
}

async function home(request) {
  const visit = visits.get(visitId(request));
  if (!visit?.tokens) return page();
  try {
    return page({ visit, answer: await whoIs(visit) });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    visits.delete(visitId(request)); // access has ended: the person signs in again
    return page({ error: reason(error) });
  }
}

/** What UserInfo says of the person: the library checks that it speaks of the one who signed in. */
async function whoIs(visit) {
  if (visit.tokens.expires_at < Date.now() + 10_000) await refresh(visit);
  return oidc.fetchUserInfo(grantor, visit.tokens.access_token, visit.person.sub);
}

/** New tokens for old ones, once for all requests that want it at the same time. */
function refresh(visit) {
  visit.refreshing ??= (async () => {
    keep(visit, await oidc.refreshTokenGrant(grantor, visit.tokens.refresh_token));
    visit.refreshes += 1;
  })().finally(() => delete visit.refreshing);
  return visit.refreshing;
}

/** An answer need not repeat what has not changed. */
function keep(visit, answer) {
  visit.tokens = { ...visit.tokens, ...answer, expires_at: Date.now() + answer.expires_in * 1000 };
}

async function signIn(request) {
  const begun = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
  };
  const url = oidc.buildAuthorizationUrl(grantor, {
    redirect_uri: `${HERE}/callback`,
    scope: SCOPE,
    state: begun.expectedState,
    nonce: begun.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(begun.pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  return { status: 303, headers: { ...begin(request, { begun }), Location: url.href } };
}

async function callback(request) {
  const { begun } = visits.get(visitId(request)) ?? {};
  if (!begun) return page({ status: 400, error: "This answer belongs to no sign-in that began here." });
  visits.delete(visitId(request));
  try {
    // Checks state and issuer (RFC 9207), redeems the code, and verifies the ID token with its nonce.
    const url = new URL(request.url, HERE);
    const answer = await oidc.authorizationCodeGrant(grantor, url, { ...begun, idTokenExpected: true });
    const visit = { person: answer.claims(), refreshes: 0 };
    keep(visit, answer);
    return { status: 303, headers: { ...begin(request, visit), Location: "/" } };
  } catch (error) {
    return page({ status: 400, error: reason(error) });
  }
}

/** Whether Grantor has said no. Anything else may be better in a minute. */
function isRefusal(error) {
  return error instanceof oidc.ResponseBodyError || error instanceof oidc.WWWAuthenticateChallengeError;
}

/** The error code that Grantor gave, or what the library found wrong itself. */
function reason(error) {
  return error.error ?? error.code ?? "failed";
}

/** For show: treats the access token as expired, so that it is refreshed. */
async function expire(request) {
  const visit = visits.get(visitId(request));
  if (visit?.tokens) visit.tokens.expires_at = 0;
  return { status: 303, headers: { Location: "/" } };
}

/** Forgets the person here, then asks Grantor to end the session there (RP-Initiated Logout §2). */
async function signOut(request) {
  const visit = visits.get(visitId(request));
  visits.delete(visitId(request));
  if (!visit?.tokens) return { status: 303, headers: { Location: "/" } };
  const url = oidc.buildEndSessionUrl(grantor, {
    id_token_hint: visit.tokens.id_token,
    post_logout_redirect_uri: `${HERE}/signed-out`,
  });
  return { status: 303, headers: { Location: url.href } };
}

/** Grantor tells, server to server, that a session has ended (Back-Channel Logout §2.5 to §2.8). */
async function backChannelLogout(request) {
  const headers = { "Cache-Control": "no-store" };
  try {
    const { sid, sub } = await readLogoutToken(new URLSearchParams(await body(request)).get("logout_token"));
    for (const [id, { person }] of visits) {
      if (person && (sid ? person.sid === sid : person.sub === sub)) visits.delete(id);
    }
    return { status: 204, headers };
  } catch (error) {
    console.error(`a logout token was refused: ${error.message}`);
    return { status: 400, headers };
  }
}

async function body(request) {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += chunk;
    if (text.length > 16_384) throw new Error("the body is too long");
  }
  return text;
}

const routes = {
  "GET /": home,
  "GET /sign-in": signIn,
  "GET /callback": callback,
  "GET /signed-out": () => page({ notice: "You have signed out, here and at Grantor." }),
  "POST /expire": expire,
  "POST /sign-out": signOut,
  "POST /back-channel-logout": backChannelLogout,
};

const server = createServer(async (request, response) => {
  const route = routes[`${request.method} ${request.url.split("?", 1)[0]}`];
  const notFound = () => page({ status: 404, error: "There is no such page." });
  try {
    const { status, headers, content } = await (route ?? notFound)(request);
    response.writeHead(status, headers).end(content);
  } catch (error) {
    console.error(error);
    response.writeHead(500).end();
  }
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(HERE));
