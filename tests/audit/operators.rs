//! What operators do by commands.

use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::rand_core::OsRng;
use serde_json::{Value, json};

use super::{and, by_operator, events, happened_once, server};
use crate::harness::{Browser, Installation, MASTER_KEY, RelyingParty, Server, Settings, TestDatabase};

/// Runs a command, and holds what it left in the log.
#[track_caller]
fn leaves(server: &Server, command: &str, event: &str, expected: Value) {
    server.cli(&command.split(' ').collect::<Vec<_>>());
    let all = events(server, event);
    super::assert_has(all.last().unwrap_or_else(|| panic!("no {event}")), &and(by_operator(), expected));
}

#[tokio::test]
async fn accounts() {
    let (server, alice) = server().await;
    Browser::new(&server).sign_in("alice").await;
    let user = json!({ "target_kind": "user", "target_id": alice, "user_id": alice });
    happened_once(
        &server,
        "user.created",
        &and(and(by_operator(), user.clone()), json!({ "username": "alice" })),
    );
    for role in ["editor", "admin"] {
        server.cli(&["role", "create", role]);
    }
    let role = |name: &str| and(user.clone(), json!({ "details": { "role": name } }));
    leaves(&server, "user set-roles alice --role editor", "user.role_granted", role("editor"));
    leaves(&server, "user set-roles alice --role admin", "user.role_granted", role("admin"));
    happened_once(&server, "user.role_taken", &role("editor"));
    server.cli(&["user", "set-roles", "alice", "--role", "admin"]);
    assert_eq!(events(&server, "user.role_granted").len(), 2, "nothing was changed");

    let changed = |names: &[&str]| and(user.clone(), json!({ "details": { "changed": names } }));
    let update = "user update alice --email a@example.org --claim locale=en --claim nickname=Ada";
    leaves(&server, update, "user.changed", changed(&["email", "locale", "nickname"]));
    // No value is in it, and where nothing is another there is no event.
    assert!(!events(&server, "user.changed")[0].to_string().contains("Ada"));
    server.cli(&["user", "update", "alice", "--claim", "locale=en", "--email-verified", "false"]);
    assert_eq!(events(&server, "user.changed").len(), 1);

    leaves(&server, "user disable alice", "user.disabled", user.clone());
    let ended = json!({ "user_id": alice, "details": { "reason": "user_disabled" } });
    happened_once(&server, "session.ended", &and(by_operator(), ended));
    leaves(&server, "user enable alice", "user.enabled", user.clone());
    let set =
        server.cli_output(&["user", "set-password", "alice", "--password-stdin"], "a fresh battery staple\n");
    assert!(set.status.success());
    happened_once(&server, "password.set", &and(by_operator(), user.clone()));
    leaves(&server, "user delete alice", "user.deleted", user);
    let by_id = server.cli(&["audit", "list", "--user", &alice]);
    assert!(by_id.as_array().unwrap().len() > 6, "events outlive the account: {by_id:#}");
}

#[tokio::test]
async fn sessions_and_consents() {
    let (server, alice) = server().await;
    let app = RelyingParty::register(&server, &[]);
    app.sign_in(&Browser::new(&server), "alice", &[("scope", "openid")]).await;
    let session = server.cli(&["session", "list", "alice"])[0]["id"].clone();
    let target = |kind: &str, id: &Value| json!({ "target_kind": kind, "target_id": id, "user_id": alice });
    let withdrawn =
        and(target("client", &json!(app.client_id)), json!({ "details": { "scopes": ["openid"] } }));
    let withdraw = format!("consent withdraw alice {}", app.client_id);
    leaves(&server, &withdraw, "consent.withdrawn", withdrawn);
    let ended = and(target("session", &session), json!({ "details": { "reason": "operator_request" } }));
    leaves(&server, &format!("session end {}", session.as_str().unwrap()), "session.ended", ended);
}

#[tokio::test]
async fn scopes_and_roles() {
    let (server, alice) = server().await;
    let about = |kind: &str, id: &str| json!({ "target_kind": kind, "target_id": id });
    leaves(&server, "scope create pay --description Pay", "scope.created", about("scope", "pay"));
    server.cli(&["scope", "create", "boss", "--description", "All", "--restricted"]);
    let claim = about("claim", "team");
    leaves(&server, "claim create team --scope pay --description Team", "claim.created", claim.clone());
    leaves(&server, "claim delete team", "claim.deleted", claim);
    let scopes = |scopes: &[&str]| and(about("role", "chief"), json!({ "details": { "scopes": scopes } }));
    leaves(&server, "role create chief", "role.created", scopes(&[]));
    leaves(&server, "role update chief --scope boss", "role.changed", scopes(&["boss"]));
    server.cli(&["user", "set-roles", "alice", "--role", "chief"]);
    leaves(&server, "role delete chief", "role.deleted", about("role", "chief"));
    let taken = json!({ "target_kind": "user", "target_id": alice, "details": { "role": "chief" } });
    happened_once(&server, "user.role_taken", &and(by_operator(), taken));

    // A scope takes the grants along that hold it.
    let app = RelyingParty::register(&server, &["--scope", "openid pay"]);
    for scope in ["openid pay", "openid"] {
        app.sign_in(&Browser::new(&server), "alice", &[("scope", scope)]).await;
    }
    let with_scope = events(&server, "code.redeemed")[0]["grant_id"].clone();
    leaves(&server, "scope delete pay", "scope.deleted", about("scope", "pay"));
    let revoked = json!({
        "target_kind": "grant", "target_id": with_scope, "grant_id": with_scope, "user_id": alice,
        "client_id": app.client_id, "details": { "reason": "scope_deleted" },
    });
    happened_once(&server, "grant.revoked", &and(by_operator(), revoked));
}

#[tokio::test]
async fn resource_servers() {
    let (server, _) = server().await;
    server.cli(&["scope", "create", "notes.read", "--description", "Read"]);
    let api = "https://notes.example";
    let about = json!({ "target_kind": "resource_server", "target_id": api });
    let none = and(about.clone(), json!({ "details": null }));
    leaves(&server, &format!("resource-server create {api}"), "resource_server.created", none.clone());
    let scopes = and(about, json!({ "details": { "scopes": ["notes.read"] } }));
    let update = format!("resource-server update {api} --scope notes.read");
    leaves(&server, &update, "resource_server.changed", scopes);
    let app = RelyingParty::register(&server, &["--audience", api]);
    let refused = server.cli_output(&["resource-server", "delete", api], "");
    assert_eq!(refused.status.code(), Some(1), "a client names it");
    assert!(events(&server, "resource_server.deleted").is_empty());
    leaves(&server, &format!("resource-server delete {api} --force"), "resource_server.deleted", none);
    let changed = json!({ "target_id": app.client_id, "details": { "changed": ["audiences"] } });
    happened_once(&server, "client.changed", &and(by_operator(), changed));
}

#[tokio::test]
async fn clients() {
    let (server, _) = server().await;
    let id = RelyingParty::register(&server, &[]).client_id;
    let client = json!({ "target_kind": "client", "target_id": id, "client_id": id });
    happened_once(&server, "client.created", &and(by_operator(), client.clone()));
    let changed = |names: &[&str]| and(client.clone(), json!({ "details": { "changed": names } }));
    leaves(&server, &format!("client update {id} --name Other"), "client.changed", changed(&["name"]));
    let both = format!("client update {id} --access-token-lifetime 5m --audience https://a.example");
    leaves(&server, &both, "client.changed", changed(&["access_token_lifetime", "audiences"]));
    let changes = events(&server, "client.changed").len();
    leaves(&server, &format!("client update {id} --disable"), "client.disabled", client.clone());
    leaves(&server, &format!("client update {id} --enable"), "client.enabled", client.clone());
    assert_eq!(events(&server, "client.changed").len(), changes, "switching is an event of its own");
    let at_once = and(client.clone(), json!({ "details": null }));
    leaves(&server, &format!("client rotate-secret {id}"), "client.secret_rotated", at_once);
    leaves(
        &server,
        &format!("client rotate-secret {id} --keep-old 1h"),
        "client.secret_rotated",
        client.clone(),
    );
    let rotated = events(&server, "client.secret_rotated").pop().unwrap();
    assert!(rotated["details"]["expires_at"].is_string(), "until when the old one works: {rotated:#}");
    leaves(&server, &format!("client delete {id}"), "client.deleted", client);
}

#[tokio::test]
async fn signing_keys() {
    let (server, _) = server().await;
    let first = events(&server, "signing_key.created").len();
    let next = server.cli(&["key", "rotate"])["kid"].clone();
    let key = json!({ "target_kind": "signing_key", "target_id": next });
    super::assert_has(&events(&server, "signing_key.created")[first], &and(by_operator(), key.clone()));
    leaves(&server, "key rotate --now", "signing_key.activated", key.clone());
    leaves(&server, &format!("key retire {}", next.as_str().unwrap()), "signing_key.retired", key);

    let own = RsaPrivateKey::new(&mut OsRng, 2048).unwrap().to_pkcs8_pem(LineEnding::LF).unwrap();
    let imported = server.cli_output(&["key", "import", "-"], &own);
    let imported: Value = serde_json::from_slice(&imported.stdout).unwrap();
    let key = json!({ "target_kind": "signing_key", "target_id": imported["kid"] });
    happened_once(&server, "signing_key.imported", &and(by_operator(), key));
}

#[tokio::test]
async fn a_signing_key_that_is_no_longer_needed() {
    let (server, _) = server().await;
    let old = server.cli(&["key", "list"])[0]["kid"].clone();
    server.cli(&["key", "rotate", "--now"]);
    // Long ago, so that all its tokens have expired. A server that starts looks at once.
    let past =
        "UPDATE signing_keys SET activates_at = activates_at - interval '1 day', longest_token_lifetime = 0";
    server.database.execute(past).await;
    let _another = server.replica(Settings::default()).await;
    let erased = json!({ "actor_kind": "system", "target_kind": "signing_key", "target_id": old });
    happened_once(&server, "signing_key.erased", &erased);
}

#[tokio::test]
async fn master_keys() {
    let (server, _) = server().await;
    let new = format!("{}=", grantor::secret::base64url(&[9; 32])).replace('-', "+").replace('_', "/");
    let keys = |keys: &[&str]| Installation::on(&server.database).with("GRANTOR_MASTER_KEY", &keys.join(" "));
    let listed = |keys: &Installation, event: &str| keys.json(&["audit", "list", "--event", event]);
    let (forth, back) = (keys(&[&new, MASTER_KEY]), keys(&[MASTER_KEY, &new]));
    let app = RelyingParty::register(&server, &["--auth-method", "client_secret_jwt"]);
    forth.json(&["key", "rewrap"]);
    let secret = &listed(&forth, "client.secret_rewrapped")[0];
    super::assert_has(secret, &and(by_operator(), json!({ "target_id": app.client_id })));
    let added = listed(&forth, "master_key.added").as_array().unwrap().last().unwrap().clone();
    super::assert_has(&added, &and(by_operator(), json!({ "target_kind": "master_key" })));
    let wrapped = listed(&forth, "master_key.wrapped");
    super::assert_has(&wrapped[0], &and(by_operator(), json!({ "target_kind": "master_key" })));
    assert_ne!(wrapped[0]["target_id"], added["target_id"], "the old one, under the new one");
    super::assert_has(
        &listed(&forth, "signing_key.rewrapped")[0],
        &and(by_operator(), json!({ "target_kind": "signing_key" })),
    );
    super::assert_has(
        &listed(&forth, "installation_secret.rewrapped")[0],
        &and(by_operator(), json!({ "target_kind": "installation_secret", "target_id": "pseudonyms" })),
    );

    back.json(&["key", "rewrap"]);
    let unwrapped = listed(&back, "master_key.unwrapped");
    super::assert_has(&unwrapped[0], &and(by_operator(), json!({ "target_id": wrapped[0]["target_id"] })));
}

#[tokio::test]
async fn the_first_start() {
    let database = std::sync::Arc::new(TestDatabase::empty().await);
    let server = Server::start_on(database, Settings::default()).await;
    let system = json!({ "actor_kind": "system", "actor_id": null, "address": null });
    let migrated = events(&server, "schema.migrated");
    super::assert_has(&migrated[0], &system);
    assert!(migrated[0]["details"]["applied"].as_u64().unwrap() > 1);
    happened_once(&server, "master_key.added", &and(system.clone(), json!({ "target_kind": "master_key" })));
    happened_once(&server, "signing_key.created", &system);
    let pseudonyms = json!({ "target_kind": "installation_secret", "target_id": "pseudonyms" });
    happened_once(&server, "installation_secret.created", &and(system.clone(), pseudonyms));
    let version = json!({ "details": { "version": env!("CARGO_PKG_VERSION") } });
    happened_once(&server, "server.started", &and(system, version));
}
