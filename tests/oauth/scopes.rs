//! Which scopes a request, a client and a person leave of one another (RFC 6749 §3.3).

use super::assert_refused;
use crate::harness::{Browser, RelyingParty, Server, Tokens, pkce};

/// A server with the scopes `notes:read` and, restricted, `notes:admin`, which the role `admin` carries.
async fn notes() -> Server {
    let server = Server::start().await;
    server.cli(&["scope", "create", "notes:read", "--description", "Read your notes"]);
    server.cli(&["scope", "create", "notes:admin", "--description", "Manage all notes", "--restricted"]);
    server.cli(&["role", "create", "admin", "--scope", "notes:admin"]);
    server.user("alice", &["admin"]);
    server.user("bob", &[]);
    server
}

const ALL: &str = "openid profile email offline_access notes:read notes:admin";

fn set(scope: &str) -> Vec<&str> {
    let mut names: Vec<&str> = scope.split(' ').collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_restricted_scope_is_dropped_in_sight_of_a_person_who_may_not_grant_it() {
    let server = notes().await;
    server.change_arrives().await;
    let app = RelyingParty::register(&server, &["--scope", ALL]);
    let scope = [("scope", "openid notes:read notes:admin")];
    for (name, granted, left_out) in
        [("alice", "notes:admin notes:read openid", None), ("bob", "notes:read openid", Some("notes:admin"))]
    {
        let browser = Browser::new(&server);
        let (verifier, challenge) = pkce();
        let page = browser.follow(browser.get(&app.authorize_path(&challenge, &scope)).await).await;
        let page = browser.sign_in_on(&page, name).await;
        assert_eq!(page.text_of(".left-out code"), left_out.unwrap_or_default(), "{name}");
        assert!(page.body.contains("Read your notes") && page.body.contains("Manage all notes"), "{name}");
        assert_eq!(page.text_of(".scopes li:not(.left-out) b").contains("admin"), left_out.is_none());
        let code = browser.submit(&page, &[("decision", "allow")]).await.parameter("code").unwrap();
        let tokens = Tokens(app.redeem(&code, &verifier, &[]).await.json());
        assert_eq!(set(tokens.scope()), set(granted), "{name}");
        assert_eq!(set(tokens.claims()["scope"].as_str().unwrap()), set(granted), "{name}");
        // Case 17: also the roles are those that the granted scopes stand for.
        let roles = tokens.claims()["roles"].as_array().cloned().unwrap_or_default();
        assert_eq!(roles.len(), usize::from(left_out.is_none()), "{name}: {roles:?}");
    }
}

#[tokio::test]
async fn a_person_who_may_grant_nothing_can_only_go_back() {
    let server = notes().await;
    server.change_arrives().await;
    let app = RelyingParty::register(&server, &["--scope", ALL]);
    let browser = Browser::new(&server);
    let path = app.authorize_path(&pkce().1, &[("scope", "notes:admin")]);
    let page = browser.follow(browser.get(&path).await).await;
    let page = browser.sign_in_on(&page, "bob").await;
    assert!(page.has_id("consent-deny") && !page.has_id("consent-allow"));
    // An allow of one's own making is no code either.
    let insisted = browser.submit(&page, &[("decision", "allow")]).await;
    assert!(insisted.location().is_none() && insisted.has_id("consent-deny"), "{:?}", insisted.location());
    let answer = browser.submit(&page, &[("decision", "deny")]).await;
    assert_refused(&answer, &app.redirect_uri, "access_denied", "nothing to grant");
}

#[tokio::test]
async fn without_scope_a_client_gets_what_needs_no_asking() {
    let server = notes().await;
    server.change_arrives().await;
    let app = RelyingParty::register(&server, &["--scope", ALL]);
    let tokens = app.sign_in(&Browser::new(&server), "alice", &[("scope", "")]).await;
    assert_eq!(set(tokens.scope()), ["email", "notes:read", "openid", "profile"]);
}

#[tokio::test]
async fn a_scope_must_be_registered_and_for_this_client_too() {
    let server = notes().await;
    server.change_arrives().await;
    let app = RelyingParty::register(&server, &["--scope", "openid notes:read"]);
    let browser = Browser::new(&server);
    for (scope, hint) in [
        ("openid notes:write", "grantor scope create notes:write"),
        ("openid notes:admin", "grantor client update"),
        ("email", "grantor client update"),
        ("openid Notes:Read", "grantor scope create Notes:Read"),
    ] {
        let answer = browser.get(&app.authorize_path(&pkce().1, &[("scope", scope)])).await;
        assert_refused(&answer, &app.redirect_uri, "invalid_scope", scope);
        let description = answer.parameter("error_description").unwrap();
        assert!(description.contains(hint), "{scope}: {description}");
    }
}

#[tokio::test]
async fn who_loses_a_role_while_the_page_is_open_is_shown_a_new_one() {
    let server = notes().await;
    server.change_arrives().await;
    let app = RelyingParty::register(&server, &["--scope", ALL]);
    let browser = Browser::new(&server);
    let (verifier, challenge) = pkce();
    let path = app.authorize_path(&challenge, &[("scope", "openid notes:admin")]);
    let page = browser.follow(browser.get(&path).await).await;
    let page = browser.sign_in_on(&page, "alice").await;
    server.cli(&["user", "set-roles", "alice"]);
    let again = browser.submit(&page, &[("decision", "allow")]).await;
    assert_eq!(again.text_of(".left-out code"), "notes:admin");
    let code = browser.submit(&again, &[("decision", "allow")]).await.parameter("code").unwrap();
    assert_eq!(app.redeem(&code, &verifier, &[]).await.json()["scope"], "openid");
}

#[tokio::test]
async fn what_was_never_asked_for_is_not_had_by_refreshing() {
    let server = notes().await;
    server.change_arrives().await;
    let app = RelyingParty::register(&server, &["--scope", ALL]);
    // Case 40: what was asked for and not granted is ignored, since real clients send it again.
    let scope = [("scope", "openid notes:read notes:admin")];
    let tokens = app.sign_in(&Browser::new(&server), "bob", &scope).await;
    let answer = app.refresh(tokens.refresh_token(), &[("scope", "openid notes:admin email")]).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (400, &"invalid_scope".into()));
    let answer = app.refresh(tokens.refresh_token(), &[("scope", "openid notes:admin")]).await.json();
    assert_eq!(answer["scope"], "openid");
    let answer = app.refresh(answer["refresh_token"].as_str().unwrap(), &[]).await.json();
    assert_eq!(set(answer["scope"].as_str().unwrap()), ["notes:read", "openid"]);
}
