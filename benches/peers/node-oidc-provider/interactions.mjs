// Stands for the pages of sign-in and consent: whoever posts an account is signed in as it, and agrees to everything.
import { text } from "node:stream/consumers";

const PATH = /^\/interaction\/[^/]+$/;

/** What the person was asked is agreed to in one step. */
async function agreed(provider, { params, prompt, session }, account) {
  const accountId = session?.accountId ?? account;
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  for (const resource of [params.resource ?? []].flat()) grant.addResourceScope(resource, params.scope);
  return { consent: { grantId: await grant.save() }, ...(prompt.name === "login" && { login: { accountId } }) };
}

export function interactions(provider) {
  return async (ctx, next) => {
    if (ctx.method !== "POST" || !PATH.test(ctx.path)) return next();
    const account = new URLSearchParams(await text(ctx.req)).get("account");
    const details = await provider.interactionDetails(ctx.req, ctx.res);
    const result = await agreed(provider, details, account);
    ctx.status = 303;
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
  };
}
