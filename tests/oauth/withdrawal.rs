//! What takes an approval back: the next refresh is refused and introspection says inactive, at once (case 43).

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Browser, RelyingParty, Server, Tokens, password_of};

/// Alice has let an app act for her while she is away, so that no end of a session explains anything.
struct Approved {
    server: Server,
    app: RelyingParty,
    /// Another client of the same operator: nothing may happen to it.
    watcher: RelyingParty,
    browser: Browser,
    alice: String,
    tokens: Tokens,
}

const OFFLINE: [(&str, &str); 1] = [("scope", "openid profile offline_access")];

impl Approved {
    async fn new() -> Self {
        let server = Server::start().await;
        let alice = server.user("alice", &[]);
        let app = RelyingParty::register(&server, &[]);
        let watcher = RelyingParty::register(&server, &["--resource-server", &server.issuer]);
        let browser = Browser::new(&server);
        let tokens = app.sign_in(&browser, "alice", &OFFLINE).await;
        let approved = Self { server, app, watcher, browser, alice, tokens };
        assert_eq!(approved.watcher.introspect(approved.tokens.access_token()).await["active"], true);
        approved
    }

    fn cli(&self, arguments: &[&str]) {
        self.server.cli(arguments);
    }

    async fn assert_ended(&self) {
        let Self { app, watcher, tokens, .. } = self;
        let inactive = json!({"active": false});
        assert_eq!(watcher.introspect(tokens.access_token()).await, inactive);
        app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    }

    /// A new approval is good: only the old one ended.
    async fn assert_a_new_approval_is_good(&self, password_works: bool) {
        let browser = if password_works { Browser::new(&self.server) } else { self.browser.clone() };
        let tokens = self.app.sign_in(&browser, "alice", &OFFLINE).await;
        assert_eq!(self.watcher.introspect(tokens.access_token()).await["active"], true);
        self.app.refresh(tokens.refresh_token(), &[]).await.tokens();
    }
}

#[tokio::test]
async fn disabling_the_person_ends_it_and_enabling_does_not_revive_it() {
    let approved = Approved::new().await;
    let (code, verifier) = approved.app.code(&approved.browser, "alice", &OFFLINE).await;
    approved.cli(&["user", "disable", "alice"]);
    approved.assert_ended().await;
    approved.app.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
    approved.cli(&["user", "enable", "alice"]);
    approved.assert_ended().await;
    approved.app.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
    approved.assert_a_new_approval_is_good(true).await;
}

#[tokio::test]
async fn deleting_the_person_ends_it_and_a_namesake_inherits_nothing() {
    let approved = Approved::new().await;
    approved.cli(&["user", "delete", "alice"]);
    approved.assert_ended().await;
    let namesake = approved.server.user("alice", &[]);
    assert_ne!(namesake, approved.alice);
    approved.assert_ended().await;
    approved.assert_a_new_approval_is_good(true).await;
}

#[tokio::test]
async fn an_operators_new_password_ends_it() {
    let approved = Approved::new().await;
    let same = format!("{}\n", password_of("alice"));
    let output = approved.server.cli_output(&["user", "set-password", "alice", "--password-stdin"], &same);
    assert!(output.status.success());
    approved.assert_ended().await;
    approved.assert_a_new_approval_is_good(true).await;
}

#[tokio::test]
async fn changing_the_own_password_ends_it() {
    let approved = Approved::new().await;
    let page = approved.browser.get("/password").await;
    let new = "another horse entirely";
    let fields =
        [("current_password", &*password_of("alice")), ("new_password", new), ("new_password_again", new)];
    let done = approved.browser.submit(&page, &fields).await;
    assert_eq!(done.status, 200, "{}", done.body);
    approved.assert_ended().await;
    // The session in which it was changed goes on.
    approved.assert_a_new_approval_is_good(false).await;
}

#[tokio::test]
async fn disabling_the_client_ends_its_tokens_as_long_as_it_lasts() {
    let approved = Approved::new().await;
    approved.cli(&["client", "update", &approved.app.client_id, "--disable"]);
    let inactive = json!({"active": false});
    assert_eq!(approved.watcher.introspect(approved.tokens.access_token()).await, inactive);
    let answer = approved.app.refresh(approved.tokens.refresh_token(), &[]).await;
    // By its grant at once, by its name as soon as the change has arrived.
    assert!([400, 401].contains(&answer.status.as_u16()), "{} {}", answer.status, answer.body);
    approved.server.change_arrives().await;
    approved.app.refresh(approved.tokens.refresh_token(), &[]).await.assert_refused(401, "invalid_client");
}

#[tokio::test]
async fn deleting_the_client_ends_it() {
    let approved = Approved::new().await;
    approved.cli(&["client", "delete", &approved.app.client_id]);
    let inactive = json!({"active": false});
    assert_eq!(approved.watcher.introspect(approved.tokens.access_token()).await, inactive);
    approved.server.change_arrives().await;
    approved.app.refresh(approved.tokens.refresh_token(), &[]).await.assert_refused(401, "invalid_client");
}

#[tokio::test]
async fn taking_a_scope_from_the_client_ends_it() {
    let approved = Approved::new().await;
    approved.cli(&["client", "update", &approved.app.client_id, "--scope", "openid offline_access email"]);
    approved.assert_ended().await;
}

#[tokio::test]
async fn taking_another_scope_from_the_client_changes_nothing() {
    let approved = Approved::new().await;
    // `email` was registered and never granted.
    approved.cli(&["client", "update", &approved.app.client_id, "--scope", "openid profile offline_access"]);
    let access_token = approved.tokens.access_token();
    assert_eq!(approved.watcher.introspect(access_token).await["active"], true);
    approved.app.refresh(approved.tokens.refresh_token(), &[]).await.tokens();
}

#[tokio::test]
async fn consent_taken_back_ends_it_and_consent_given_anew_does_not_revive_it() {
    let approved = Approved::new().await;
    assert_eq!(approved.server.database.execute("DELETE FROM consents").await, 1);
    approved.assert_ended().await;

    // Asked again, and agreed again.
    approved.assert_a_new_approval_is_good(false).await;
    approved.assert_ended().await;
}

#[tokio::test]
async fn it_ends_on_every_process_at_once() {
    let mut approved = Approved::new().await;
    let other = approved.server.replica(crate::harness::Settings::default()).await;
    let refreshed = approved.app.at(&other).refresh(approved.tokens.refresh_token(), &[]).await.tokens();
    approved.tokens = refreshed;
    approved.cli(&["user", "disable", "alice"]);
    approved.app = approved.app.at(&other);
    approved.watcher = approved.watcher.at(&other);
    approved.assert_ended().await;
}

#[tokio::test]
async fn an_approval_given_amid_the_end_does_not_outlive_it() {
    let commands =
        [&["user", "set-password", "alice", "--password-stdin"][..], &["user", "disable", "alice"]];
    for command in commands {
        let approved = Approved::new().await;
        // The change of the account takes its time before it goes on to end the sessions.
        for statement in SLOW_CHANGE {
            approved.server.database.execute(statement).await;
        }
        let server = Arc::new(approved.server);
        let changing = Arc::clone(&server);
        let change =
            tokio::task::spawn_blocking(move || changing.cli_output(command, "another horse entirely\n"));
        tokio::time::sleep(Duration::from_millis(700)).await;
        // Her session still lives, and her consent is on file.
        let (code, verifier) = approved.app.code(&approved.browser, "alice", &OFFLINE).await;
        assert!(!change.is_finished());
        assert!(change.await.unwrap().status.success());

        approved.app.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
        server.cli(&["user", "enable", "alice"]);
        approved.app.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
    }
}

const SLOW_CHANGE: [&str; 2] = [
    "CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END $$",
    "CREATE TRIGGER pause AFTER UPDATE OF updated_at ON users FOR EACH ROW EXECUTE FUNCTION pause()",
];
