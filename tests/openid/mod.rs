//! OpenID Connect as clients see it.

mod backchannel_logout;
mod id_token;
mod id_token_hint;
mod logout_queue;
mod pairwise;
mod rp_initiated_logout;
mod session_end;

use serde_json::Value;

use crate::harness::{RelyingParty, Server, Tokens, jwt};

/// The claims of the ID token, verified as the client does it.
async fn id_token(server: &Server, app: &RelyingParty, tokens: &Tokens) -> Value {
    jwt::verify(server, tokens.0["id_token"].as_str().unwrap(), &app.client_id).await.claims
}
