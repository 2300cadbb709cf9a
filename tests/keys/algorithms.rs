//! Tokens signed with what a client is registered for, verified by a library that shares no code with the server.

use grantor::secret::{base64url, from_base64url};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::{Value, json};

use super::{JWKS_MAX_AGE, PROMISED};
use crate::harness::{Browser, Installation, MASTER_KEY, RelyingParty, Server, claims_of, until};

const ALL: [(&str, Algorithm); 4] = [
    ("RS256", Algorithm::RS256),
    ("PS256", Algorithm::PS256),
    ("ES256", Algorithm::ES256),
    // The library knows the name of before RFC 9864 alone.
    ("Ed25519", Algorithm::EdDSA),
];

async fn published(server: &Server) -> Vec<Value> {
    let set = Browser::new(server).get("/.well-known/jwks.json").await.json();
    set["keys"].as_array().unwrap().clone()
}

async fn algorithms_in_metadata(server: &Server) -> Value {
    let metadata = Browser::new(server).get("/.well-known/openid-configuration").await.json();
    metadata["id_token_signing_alg_values_supported"].clone()
}

/// The header, if the signature is that of the published key which the header names, with its algorithm.
async fn verified(server: &Server, token: &str) -> Value {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let header = from_base64url(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    let keys = published(server).await;
    let jwk = keys.iter().find(|key| key["kid"] == header["kid"]).expect("the key is published").clone();
    assert_eq!(jwk["alg"], header["alg"]);
    let (_, algorithm) = ALL.into_iter().find(|(name, _)| header["alg"] == *name).unwrap();
    let jwk: Jwk = serde_json::from_value(jwk).unwrap();
    let key = DecodingKey::from_jwk(&jwk).unwrap();
    assert!(crypto::verify(signature, message.as_bytes(), &key, algorithm).unwrap(), "{header}");
    header
}

#[tokio::test]
async fn a_fresh_installation_has_one_key_and_says_so() {
    let server = Server::start().await;
    let keys = published(&server).await;
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["alg"], "RS256");
    assert_eq!(algorithms_in_metadata(&server).await, json!(["RS256"]));
}

#[tokio::test]
async fn each_client_gets_tokens_signed_with_what_it_is_registered_for() {
    let server = Server::start().await;
    server.user("alice", &[]);
    for (name, _) in ALL {
        let app = RelyingParty::register(
            &server,
            &["--access-token-signing-alg", name, "--id-token-signed-response-alg", name],
        );
        // At once: a server that has not noticed the first key of an algorithm looks for it.
        let tokens = app.sign_in(&Browser::new(&server), "alice", &[]).await;
        let id_token = tokens.0["id_token"].as_str().unwrap();
        assert_eq!(verified(&server, tokens.access_token()).await["typ"], "at+jwt");
        assert_eq!(verified(&server, tokens.access_token()).await["alg"], name);
        assert_eq!(verified(&server, id_token).await["alg"], name);
        assert_eq!(app.introspect(tokens.access_token()).await["active"], true);

        // OpenID Connect Core §3.1.3.6; RFC 8032 §5.1 uses SHA-512.
        let digest = if name == "Ed25519" { &aws_lc_rs::digest::SHA512 } else { &aws_lc_rs::digest::SHA256 };
        let hash = aws_lc_rs::digest::digest(digest, tokens.access_token().as_bytes());
        let left_half = &hash.as_ref()[..hash.as_ref().len() / 2];
        assert_eq!(claims_of(id_token)["at_hash"], base64url(left_half));

        let refreshed = app.refresh(tokens.refresh_token(), &[]).await.tokens();
        assert_eq!(verified(&server, refreshed.access_token()).await["alg"], name);
    }
    assert_eq!(published(&server).await.len(), 4, "one key for each algorithm");
    assert_eq!(algorithms_in_metadata(&server).await, json!(["RS256", "PS256", "ES256", "Ed25519"]));
    // Case 86.
    for key in published(&server).await {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(private).is_none(), "{key}");
        }
    }
}

#[tokio::test]
async fn access_tokens_and_id_tokens_may_differ_and_a_change_holds_for_the_next_token() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &["--access-token-signing-alg", "ES256"]);
    let tokens = app.sign_in(&Browser::new(&server), "alice", &[]).await;
    assert_eq!(verified(&server, tokens.access_token()).await["alg"], "ES256");
    assert_eq!(verified(&server, tokens.0["id_token"].as_str().unwrap()).await["alg"], "RS256");

    let arguments = ["client", "update", &app.client_id, "--access-token-signing-alg", "Ed25519"];
    let output = server.cli_output(&arguments, "");
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the first for Ed25519") && said.contains("until 2"), "{said}");
    server.change_arrives().await;
    let refreshed = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    assert_eq!(verified(&server, refreshed.access_token()).await["alg"], "Ed25519");
    assert_eq!(app.introspect(tokens.access_token()).await["active"], true, "the old token lives on");
}

/// Case 49: no token of one algorithm passes for one of another, whatever its header claims.
#[tokio::test]
async fn algorithms_do_not_mix() {
    let server = Server::start().await;
    let mut tokens = Vec::new();
    let mut asking = None;
    for (name, _) in ALL {
        let arguments = ["--grant", "client_credentials", "--access-token-signing-alg", name];
        let app = RelyingParty::register(&server, &arguments);
        let answer = app.token(&[("grant_type", "client_credentials")]).await;
        tokens.push((app.clone(), answer.tokens().access_token().to_owned()));
        asking = Some(app);
    }
    let asking = asking.unwrap();
    server.change_arrives().await;
    for (app, token) in &tokens {
        assert_eq!(app.introspect(token).await["active"], true);
        let parts: Vec<&str> = token.split('.').collect();
        let header: Value = serde_json::from_slice(&from_base64url(parts[0]).unwrap()).unwrap();
        for alg in ["RS256", "PS256", "ES256", "Ed25519", "EdDSA", "ES384", "HS256", "none"] {
            let mut other = header.clone();
            other["alg"] = alg.into();
            let forged = format!("{}.{}.{}", base64url(other.to_string().as_bytes()), parts[1], parts[2]);
            let is_same = header["alg"] == alg && forged == *token;
            if !is_same {
                assert_eq!(app.introspect(&forged).await, json!({"active": false}), "{alg}");
            }
        }
        // One key's signature under another's name.
        for (_, other) in tokens.iter().filter(|(_, other)| other != token) {
            let head = other.split('.').next().unwrap();
            let forged = format!("{head}.{}.{}", parts[1], parts[2]);
            assert_eq!(asking.introspect(&forged).await, json!({"active": false}));
        }
    }
}

#[tokio::test]
async fn a_key_made_in_advance_is_published_and_used_by_the_first_client() {
    let server = Server::start().await;
    let operator = Installation::on(&server.database).with("GRANTOR_MASTER_KEY", MASTER_KEY);
    let made = operator.json(&["key", "create", "--alg", "ES256"]);
    let kid = made["kid"].as_str().unwrap().to_owned();
    assert_eq!((&made["alg"], &made["changed"]), (&json!("ES256"), &json!(true)));
    assert!(made["activates_at"].as_str().unwrap() > made["created_at"].as_str().unwrap(), "{made}");
    assert_eq!(operator.json(&["key", "create", "--alg", "ES256"])["changed"], false);
    until(PROMISED, || async { published(&server).await.iter().any(|key| key["kid"] == kid.as_str()) }).await;
    assert_eq!(algorithms_in_metadata(&server).await, json!(["RS256", "ES256"]));

    let arguments = ["--grant", "client_credentials", "--access-token-signing-alg", "ES256"];
    let app = RelyingParty::register(&server, &arguments);
    let token = app.token(&[("grant_type", "client_credentials")]).await.tokens();
    assert_eq!(verified(&server, token.access_token()).await["kid"], kid.as_str());
}

#[tokio::test]
async fn each_algorithm_is_rotated_and_retired_by_itself() {
    let server = Server::start().await;
    let operator =
        Installation::on(&server.database).with("GRANTOR_MASTER_KEY", MASTER_KEY).with(JWKS_MAX_AGE, "1s");
    let state_of = |kid: &Value| {
        let listed = operator.json(&["key", "list"]);
        let key = listed.as_array().unwrap().iter().find(|key| key["kid"] == *kid).unwrap();
        key["state"].clone()
    };
    let rsa = operator.json(&["key", "list"])[0]["kid"].clone();
    let first = operator.json(&["key", "create", "--alg", "Ed25519"])["kid"].clone();
    let second = operator.json(&["key", "rotate", "--now", "--alg", "Ed25519"]);
    assert_eq!((&second["alg"], &second["state"]), (&json!("Ed25519"), &json!("active")));
    assert_eq!(state_of(&rsa), "active", "the other algorithm's key signs on");
    let retired = operator.json(&["key", "retire", first.as_str().unwrap()]);
    assert_eq!(retired["active_kid"], second["kid"]);
    // Without naming one it is RS256, as ever.
    let next = operator.json(&["key", "rotate"]);
    assert_eq!((&next["alg"], &next["state"], &next["active_kid"]), (&json!("RS256"), &json!("next"), &rsa));
    let retired = operator.json(&["key", "retire", second["kid"].as_str().unwrap()]);
    assert_ne!(retired["active_kid"], rsa);
    assert_eq!(retired["consequences"]["tokens_end_of"], second["kid"]);
}

#[tokio::test]
async fn public_keys_are_exported_as_they_are_published_and_for_good() {
    let server = Server::start().await;
    let operator = Installation::on(&server.database).with("GRANTOR_MASTER_KEY", MASTER_KEY);
    for (name, _) in &ALL[1..] {
        operator.json(&["key", "create", "--alg", name]);
    }
    until(PROMISED, || async { published(&server).await.len() == 4 }).await;
    let set = operator.json(&["key", "export-public"]);
    assert_eq!(set["keys"], Value::from(published(&server).await));

    let kid = set["keys"][0]["kid"].as_str().unwrap();
    operator.json(&["key", "retire", kid]);
    let one = operator.json(&["key", "export-public", "--kid", kid]);
    assert_eq!(one["keys"], json!([set["keys"][0]]), "a retired key can still be had");
    let now_published = operator.json(&["key", "export-public"]);
    assert!(!now_published["keys"].as_array().unwrap().contains(&set["keys"][0]));

    let pem = operator.run(&["key", "export-public", "--format", "pem"], "");
    let pem = String::from_utf8(pem.stdout).unwrap();
    assert_eq!(pem.matches("BEGIN PUBLIC KEY").count(), 4);
    let named = operator.json(&["key", "export-public", "--format", "pem"]);
    for entry in named.as_array().unwrap() {
        assert!(pem.contains(entry["pem"].as_str().unwrap()) && entry["kid"].is_string());
    }
    assert_eq!(operator.run(&["key", "export-public", "--kid", "nobody"], "").status.code(), Some(1));
}
