//! ID tokens (OpenID Connect Core §2, §3.1.3, §12.2).

use std::collections::BTreeSet;

use grantor::secret::{base64url, sha256};
use serde_json::{Value, json};

use super::id_token;
use crate::harness::{Browser, RelyingParty, Server, Tokens, jwt, pkce};

async fn actors() -> (Server, String, RelyingParty, Browser) {
    let server = Server::start().await;
    let alice = server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    (server, alice, app, browser)
}

/// §3.1.3.6: the left half of the access token's hash.
fn at_hash(tokens: &Tokens) -> String {
    base64url(&sha256(tokens.access_token().as_bytes())[..16])
}

fn names(claims: &Value) -> BTreeSet<&str> {
    claims.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn an_id_token_tells_the_client_who_signed_in_how_and_when() {
    let (server, alice, app, browser) = actors().await;
    let tokens = app.sign_in(&browser, "alice", &[("nonce", "n-0S6_WzA2Mj")]).await;
    let verified = jwt::verify(&server, tokens.0["id_token"].as_str().unwrap(), &app.client_id).await;

    assert_eq!(verified.header.typ.as_deref(), Some("JWT"));
    let claims = verified.claims;
    assert_eq!(claims["sub"], alice.as_str());
    assert_eq!(claims["nonce"], "n-0S6_WzA2Mj");
    assert_eq!(claims["at_hash"], at_hash(&tokens));
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("1"), &json!(["pwd"])));
    assert_eq!(claims["azp"], app.client_id.as_str());
    let seconds = |claim: &str| claims[claim].as_i64().unwrap();
    assert_eq!(seconds("exp") - seconds("iat"), 600);
    assert!((seconds("iat") - 60..=seconds("iat")).contains(&seconds("auth_time")));
    let all =
        ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "sid", "at_hash"];
    assert_eq!(names(&claims), BTreeSet::from(all));
    // The metadata promises these, and the `acr`.
    let metadata = browser.get("/.well-known/openid-configuration").await.json();
    assert!(
        names(&claims)
            .into_iter()
            .all(|name| metadata["claims_supported"].as_array().unwrap().contains(&json!(name)))
    );
    assert_eq!(metadata["acr_values_supported"], json!([claims["acr"]]));
}

#[tokio::test]
async fn auth_time_is_that_of_the_sign_in_and_not_of_the_request() {
    let (server, _, app, browser) = actors().await;
    let first = app.sign_in(&browser, "alice", &[]).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let second = app.sign_in(&browser, "alice", &[]).await;
    let again = app.sign_in(&browser, "alice", &[("prompt", "login")]).await;

    let mut times = Vec::new();
    for tokens in [&first, &second, &again] {
        times.push(id_token(&server, &app, tokens).await["auth_time"].clone());
    }
    assert_eq!(times[0], times[1]);
    assert!(times[2].as_i64() > times[1].as_i64(), "{times:?}");
}

#[tokio::test]
async fn without_openid_there_is_no_id_token_and_without_nonce_none_in_it() {
    let (server, _, app, browser) = actors().await;
    let plain = app.sign_in(&browser, "alice", &[("scope", "profile")]).await;
    assert!(plain.0.get("id_token").is_none());
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    assert!(id_token(&server, &app, &tokens).await.get("nonce").is_none());
}

#[tokio::test]
async fn an_id_token_is_for_its_client_alone() {
    let (server, _, app, browser) = actors().await;
    let api = "https://api.example";
    let other = RelyingParty::register(&server, &["--audience", api]);
    for client in [&app, &other] {
        let tokens = client.sign_in(&browser, "alice", &[]).await;
        // Whatever resources the access token is for (§2 `aud`).
        let claims = id_token(&server, client, &tokens).await;
        assert_eq!((&claims["aud"], &claims["azp"]), (&json!(client.client_id), &json!(client.client_id)));
    }
}

/// Back-Channel Logout §2.1: a session has one name at each client, and at no two clients the same.
#[tokio::test]
async fn sid_names_the_session_for_one_client_alone() {
    let (server, _, app, browser) = actors().await;
    let other_app = RelyingParty::register(&server, &[]);
    let elsewhere = Browser::new(&server);
    let mut sids = Vec::new();
    for (client, browser) in [(&app, &browser), (&app, &browser), (&other_app, &browser), (&app, &elsewhere)]
    {
        let tokens = client.sign_in(browser, "alice", &[]).await;
        let sid = id_token(&server, client, &tokens).await["sid"].as_str().unwrap().to_owned();
        assert!(sid.len() >= 22, "{sid}");
        sids.push(sid);
    }
    assert_eq!(sids[0], sids[1]);
    assert_eq!(BTreeSet::from_iter(&sids).len(), 3, "{sids:?}");
    // Nor is it what the database calls the session.
    let ids: Vec<String> = sqlx::query_scalar("SELECT id::text FROM sessions")
        .fetch_all(&mut server.database.sql().await)
        .await
        .unwrap();
    assert_eq!(ids.len(), 2);
    assert!(ids.iter().all(|id| !sids.contains(id)));
}

#[tokio::test]
async fn a_refreshed_id_token_speaks_of_the_same_sign_in() {
    let (server, _, app, browser) = actors().await;
    let scope = ("scope", "openid profile offline_access");
    let tokens = app.sign_in(&browser, "alice", &[scope, ("nonce", "n-1")]).await;
    let first = id_token(&server, &app, &tokens).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    // The person signs in anew meanwhile: that is not the sign-in that this grant rests on.
    app.sign_in(&browser, "alice", &[("prompt", "login")]).await;

    let refreshed = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    let again = id_token(&server, &app, &refreshed).await;
    for claim in ["iss", "sub", "aud", "azp", "auth_time", "acr", "amr", "sid"] {
        assert_eq!(again[claim], first[claim], "{claim}");
    }
    assert!(again["iat"].as_i64() > first["iat"].as_i64() && again["exp"].as_i64() > first["exp"].as_i64());
    assert!(again.get("nonce").is_none(), "it was for the first one");
    assert_eq!(again["at_hash"], at_hash(&refreshed));

    // A repeated answer has one too, for its own access token.
    let repeated = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    assert_eq!(id_token(&server, &app, &repeated).await["at_hash"], at_hash(&repeated));
    // Who asks for less gets less.
    let narrowed = app.refresh(refreshed.refresh_token(), &[("scope", "profile")]).await.tokens();
    assert!(narrowed.0.get("id_token").is_none());
    // The session has ended, and the grant lives on: its name stays.
    let page = browser.get("/sign-out").await;
    browser.submit(&page, &[]).await;
    let after = app.refresh(narrowed.refresh_token(), &[]).await.tokens();
    assert_eq!(id_token(&server, &app, &after).await["sid"], first["sid"]);
}

/// A grant of the previous release says in which session it ends, and does not say where it began.
#[tokio::test]
async fn a_grant_of_the_previous_release_names_the_session_that_it_knows() {
    let (server, _, app, browser) = actors().await;
    for (scope, is_known) in [("openid", true), ("openid offline_access", false)] {
        let tokens = app.sign_in(&browser, "alice", &[("scope", scope)]).await;
        let first = id_token(&server, &app, &tokens).await;
        server.database.execute("UPDATE grants SET started_in = NULL").await;
        let refreshed = app.refresh(tokens.refresh_token(), &[]).await.tokens();
        let again = id_token(&server, &app, &refreshed).await;
        assert_eq!(again.get("sid"), is_known.then_some(&first["sid"]), "{scope}");
    }
}

/// Core §5.5.1.1: it counts as a failed sign-in, and nobody is shown a page for it.
#[tokio::test]
async fn an_essential_acr_that_nobody_can_reach_is_told_to_the_client() {
    let (server, _, app, browser) = actors().await;
    let asks =
        |values: Value| json!({"id_token": {"acr": {"essential": true, "values": values}}}).to_string();
    let (_, challenge) = pkce();
    for prompt in ["", "none", "login"] {
        let more = [("claims", &*asks(json!(["phr"]))), ("prompt", prompt)];
        let answer = browser.get(&app.authorize_path(&challenge, &more)).await;
        assert_eq!(
            answer.parameter("error").as_deref(),
            Some("unmet_authentication_requirements"),
            "{prompt}"
        );
        assert!(answer.location().unwrap().starts_with(&app.redirect_uri));
    }
    let tokens = app.sign_in(&browser, "alice", &[("claims", &*asks(json!(["phr", "1"])))]).await;
    assert_eq!(id_token(&server, &app, &tokens).await["acr"], "1");
}
