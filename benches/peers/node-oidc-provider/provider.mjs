// The configuration. README.md one directory up says where each setting is recommended.
import { createPrivateKey } from "node:crypto";
import { readFile } from "node:fs/promises";

import { Provider } from "oidc-provider";

import { database, PostgresqlAdapter } from "./adapter.mjs";
import { interactions } from "./interactions.mjs";

const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;

// An API that reads the tokens itself, and one that asks the introspection endpoint: node-oidc-provider introspects
// opaque tokens only.
const RESOURCES = { "https://api.example/": "jwt", "https://asking-api.example/": "opaque" };

function getResourceServerInfo(_ctx, resource) {
  return {
    scope: "read",
    accessTokenTTL: 10 * MINUTE,
    accessTokenFormat: RESOURCES[resource],
    jwt: { sign: { alg: "RS256" } },
  };
}

async function findAccount(_ctx, id) {
  const { rows } = await database.query({
    name: "account",
    text: "SELECT name, email FROM accounts WHERE id = $1",
    values: [id],
  });
  const [account] = rows;
  return account && { accountId: id, claims: () => ({ sub: id, ...account }) };
}

// Static clients are those that the documentation recommends where clients shall not cost a statement per request.
async function clients() {
  const { rows } = await database.query("SELECT metadata FROM clients");
  return rows.map(({ metadata }) => metadata);
}

async function signingKey() {
  const key = createPrivateKey(await readFile(process.env.SIGNING_KEY));
  return { ...key.export({ format: "jwk" }), alg: "RS256", use: "sig" };
}

export async function makeProvider(issuer) {
  const provider = new Provider(issuer, {
    adapter: PostgresqlAdapter,
    clients: await clients(),
    claims: { openid: ["sub"], profile: ["name"], email: ["email"] },
    clientBasedCORS: () => false,
    cookies: { keys: [process.env.COOKIE_SECRET] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: { enabled: true, getResourceServerInfo },
      revocation: { enabled: true },
    },
    expiresWithSession: () => false,
    findAccount,
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed("refresh_token"),
    jwks: { keys: [await signingKey()] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    scopes: ["openid", "profile", "email", "read"],
    ttl: {
      AccessToken: 10 * MINUTE,
      AuthorizationCode: 10 * MINUTE,
      ClientCredentials: 10 * MINUTE,
      Grant: 30 * DAY,
      IdToken: 10 * MINUTE,
      Interaction: 60 * MINUTE,
      RefreshToken: 30 * DAY,
      Session: 14 * DAY,
    },
  });
  provider.proxy = true;
  provider.use(interactions(provider));
  return provider;
}
