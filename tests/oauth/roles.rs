//! Roles and restricted scopes: no app carries a person's power unasked, and today's roles count.

use serde_json::{Value, json};

use crate::harness::{Browser, RelyingParty, Server, Tokens};

const SCOPES: &str = "openid profile offline_access roles notes:read notes:admin";

/// Alice is an administrator of the notes and an editor; Bob is neither.
struct Notes {
    server: Server,
    app: RelyingParty,
    api: RelyingParty,
    alice: Browser,
    bob: Browser,
}

impl Notes {
    async fn new() -> Self {
        let server = Server::start().await;
        server.cli(&["scope", "create", "notes:read", "--description", "Read your notes"]);
        server.cli(&["scope", "create", "notes:admin", "--description", "Administer notes", "--restricted"]);
        server.cli(&["role", "create", "admin", "--scope", "notes:admin"]);
        // It carries no scope.
        server.cli(&["role", "create", "editor"]);
        server.user("alice", &["admin", "editor"]);
        server.user("bob", &[]);
        let app = RelyingParty::register(&server, &["--scope", SCOPES]);
        let api = RelyingParty::register(&server, &["--resource-server", &server.issuer]);
        server.change_arrives().await;
        let (alice, bob) = (Browser::new(&server), Browser::new(&server));
        Self { server, app, api, alice, bob }
    }

    async fn roles_today(&self, tokens: &Tokens) -> Value {
        self.api.introspect(tokens.access_token()).await["roles"].clone()
    }
}

fn roles(tokens: &Tokens) -> Value {
    tokens.claims()["roles"].clone()
}

#[tokio::test]
async fn a_role_appears_only_under_a_scope_that_lets_it_through() {
    let notes = Notes::new().await;
    let table = [
        ("openid notes:read", Value::Null),
        ("openid notes:admin", json!(["admin"])),
        ("openid roles", json!(["editor"])),
        ("openid roles notes:admin", json!(["admin", "editor"])),
    ];
    for (scope, expected) in table {
        let tokens = notes.app.sign_in(&notes.alice, "alice", &[("scope", scope)]).await;
        assert_eq!(tokens.scope(), scope);
        assert_eq!(roles(&tokens), expected, "{scope}");
        assert_eq!(notes.roles_today(&tokens).await, expected, "{scope}");
    }
}

#[tokio::test]
async fn who_may_not_grant_a_restricted_scope_gets_tokens_without_it() {
    let notes = Notes::new().await;
    let tokens =
        notes.app.sign_in(&notes.bob, "bob", &[("scope", "openid roles notes:read notes:admin")]).await;
    // Case 17.
    assert_eq!(tokens.scope(), "openid roles notes:read");
    assert_eq!(tokens.claims()["scope"], "openid roles notes:read");
    assert_eq!(roles(&tokens), Value::Null);

    // A role given later does not widen what was granted without it.
    notes.server.cli(&["user", "set-roles", "bob", "--role", "admin", "--role", "editor"]);
    let refreshed = notes.app.refresh(tokens.refresh_token(), &[]).await.tokens();
    assert_eq!(refreshed.scope(), "openid roles notes:read");
    // `roles` was granted, and a role without a scope appears under it.
    assert_eq!(roles(&refreshed), json!(["editor"]));
}

#[tokio::test]
async fn a_role_taken_away_takes_its_scope_along_at_once() {
    let notes = Notes::new().await;
    let asked = "openid offline_access roles notes:admin";
    let tokens = notes.app.sign_in(&notes.alice, "alice", &[("scope", asked)]).await;
    assert_eq!(roles(&tokens), json!(["admin", "editor"]));

    notes.server.cli(&["user", "set-roles", "alice", "--role", "editor"]);
    // Introspection tells today's scopes and roles of the token that names yesterday's.
    let answer = notes.api.introspect(tokens.access_token()).await;
    assert_eq!(answer["active"], true);
    assert_eq!(answer["scope"], "openid offline_access roles");
    assert_eq!(answer["roles"], json!(["editor"]));

    let refreshed = notes.app.refresh(tokens.refresh_token(), &[("scope", asked)]).await.tokens();
    assert_eq!(refreshed.scope(), "openid offline_access roles");
    assert_eq!(roles(&refreshed), json!(["editor"]));

    notes.server.cli(&["user", "set-roles", "alice"]);
    let refreshed = notes.app.refresh(refreshed.refresh_token(), &[]).await.tokens();
    assert_eq!(roles(&refreshed), Value::Null);
    assert_eq!(notes.roles_today(&refreshed).await, Value::Null);
}

#[tokio::test]
async fn a_role_that_no_longer_carries_the_scope_lets_it_no_longer_through() {
    let notes = Notes::new().await;
    let asked = [("scope", "openid offline_access notes:admin")];
    let tokens = notes.app.sign_in(&notes.alice, "alice", &asked).await;
    notes.server.cli(&["role", "delete", "admin"]);
    let refreshed = notes.app.refresh(tokens.refresh_token(), &[]).await.tokens();
    assert_eq!(refreshed.scope(), "openid offline_access");
    assert_eq!(roles(&refreshed), Value::Null);
}

#[tokio::test]
async fn a_narrowed_token_names_fewer_roles() {
    let notes = Notes::new().await;
    let asked = [("scope", "openid roles notes:admin notes:read")];
    let tokens = notes.app.sign_in(&notes.alice, "alice", &asked).await;
    let narrow = notes.app.refresh(tokens.refresh_token(), &[("scope", "notes:read")]).await.tokens();
    assert_eq!(roles(&narrow), Value::Null);
    assert_eq!(notes.roles_today(&narrow).await, Value::Null);
    let admin = notes.app.refresh(narrow.refresh_token(), &[("scope", "notes:admin")]).await.tokens();
    assert_eq!(roles(&admin), json!(["admin"]));
}
