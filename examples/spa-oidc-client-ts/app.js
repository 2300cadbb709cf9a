// A single-page app that signs people in with Grantor: a public client with PKCE, made with oidc-client-ts.
// With a bundler this is: import { ErrorResponse, UserManager } from "oidc-client-ts".
const { ErrorResponse, UserManager } = globalThis.oidc;

const { issuer, clientId, renewBefore } = await (await fetch("/settings.json")).json();

const manager = new UserManager({
  authority: issuer,
  client_id: clientId,
  redirect_uri: `${location.origin}/callback`,
  post_logout_redirect_uri: `${location.origin}/`,
  // With `offline_access` there is a refresh token, and tokens are renewed without a hidden frame: that would need
  // cookies that browsers no longer send to another site.
  scope: "openid profile email offline_access",
  automaticSilentRenew: true,
  accessTokenExpiringNotificationTimeInSeconds: renewBefore,
  loadUserInfo: true,
  revokeTokensOnSignout: true,
});

const element = (id) => document.getElementById(id);
let renewals = 0;

function show(user) {
  element("signed-in").hidden = !user;
  element("signed-out").hidden = Boolean(user);
  if (!user) return;
  element("name").textContent = user.profile.name ?? user.profile.preferred_username ?? user.profile.sub;
  element("scope").textContent = user.scope;
}

/** Tells what went wrong: the server's error code (RFC 6749 §4.1.2.1), or what this app noticed itself. */
function explain(error) {
  element("problem").hidden = false;
  element("error").textContent = error instanceof ErrorResponse ? error.error : error.message;
}

/** The person who comes back from Grantor. */
async function answered() {
  const answer = new URL(location.href).searchParams;
  history.replaceState(null, "", "/"); // nobody reloads, bookmarks or shares the code
  // RFC 9207: an answer from another server than the one we asked is not for us. The library does not look.
  if (answer.get("iss") !== issuer) throw new Error("the answer is from another server");
  return manager.signinRedirectCallback(`${location.origin}/callback?${answer}`);
}

/** An API call with the access token. Your own API takes the same header, and answers with CORS as Grantor does. */
async function callApi() {
  const [user, { userinfo_endpoint }] = [await manager.getUser(), await manager.metadataService.getMetadata()];
  const response = await fetch(userinfo_endpoint, { headers: { Authorization: `Bearer ${user.access_token}` } });
  element("answered").hidden = false;
  element("status").textContent = response.status;
  element("answer").textContent = JSON.stringify(await response.json(), null, 2);
}

/** A renewal failed. A refusal is final: access was withdrawn, or lasted long enough. A lost connection is not. */
async function notRenewed(error) {
  if (error instanceof ErrorResponse) await manager.removeUser();
  explain(error);
}

/** Does something at each click on a button. */
function onClick(button, action, failed = explain) {
  element(button).onclick = () => {
    element("problem").hidden = true;
    action().catch(failed);
  };
}

onClick("sign-in", () => manager.signinRedirect());
onClick("call", callApi);
onClick("renew", () => manager.signinSilent(), notRenewed);
onClick("sign-out", () => manager.signoutRedirect());

manager.events.addSilentRenewError(notRenewed);
manager.events.addUserUnloaded(() => show(null));

try {
  show(location.pathname === "/callback" ? await answered() : await manager.getUser());
} catch (error) {
  show(null);
  explain(error);
}
// From here on the library loads a user only when it has renewed the tokens.
manager.events.addUserLoaded((user) => {
  element("renewals").textContent = String(++renewals);
  show(user);
});
