//! OpenID Connect as clients and people see it, one file per rule.

mod attributes;
mod backchannel_logout;
mod claims;
mod first_party;
mod form_post;
mod hints;
mod id_token;
mod id_token_hint;
mod logout_queue;
mod max_age;
mod pairwise;
mod prompt;
mod rp_initiated_logout;
mod session_end;
mod stage;
mod userinfo;

use serde_json::Value;

use crate::harness::{RelyingParty, Server, Tokens, jwt};

/// The claims of the ID token, verified as the client does it.
async fn id_token(server: &Server, app: &RelyingParty, tokens: &Tokens) -> Value {
    jwt::verify(server, tokens.0["id_token"].as_str().unwrap(), &app.client_id).await.claims
}
