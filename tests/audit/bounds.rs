//! Event and change go together or not at all; and strangers cannot fill the log.

use serde_json::json;

use super::{APP, browser, events, happened_once, server};
use crate::harness::{RelyingParty, password_of};

#[tokio::test]
async fn what_cannot_be_recorded_is_not_done() {
    let (server, _) = server().await;
    let app = RelyingParty::register(&server, &[]);
    let browser = browser(&server);
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    server
        .database
        .execute(
            "ALTER TABLE audit_events ADD CHECK (event NOT IN
                 ('role.created', 'grant.revoked', 'access_token.revoked', 'sign_out', 'client.changed')) NOT VALID",
        )
        .await;

    let refused = server.cli_output(&["role", "create", "editor"], "");
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(server.cli(&["role", "list"]), json!([]));
    let refused = server.cli_output(&["client", "update", &app.client_id, "--name", "Other"], "");
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(server.cli(&["client", "show", &app.client_id])["client_name"], "Test app");
    for token in [tokens.access_token(), tokens.refresh_token()] {
        assert_eq!(app.revoke(token).await.status, 500, "a revocation without its event is not acknowledged");
        assert_eq!(app.introspect(token).await["active"], true);
    }
    let page = browser.get("/sign-out").await;
    assert_eq!(browser.submit(&page, &[]).await.status, 500);
    assert!(browser.get("/sign-out").await.body.contains("alice"), "still signed in");
}

#[tokio::test]
async fn what_is_not_done_is_not_recorded() {
    let (server, _) = server().await;
    server.cli(&["scope", "create", "boss", "--description", "All", "--restricted"]);
    server.cli(&["role", "create", "chief", "--scope", "boss"]);
    let app = RelyingParty::register(&server, &[]);
    for refused in [
        "role create chief",
        "scope create boss --description All",
        "scope delete boss",
        "scope delete openid",
        "role delete nobody",
        "user delete nobody",
        "user set-roles alice --role nobody",
        "client delete nobody",
    ] {
        let output = server.cli_output(&refused.split(' ').collect::<Vec<_>>(), "");
        assert_eq!(output.status.code(), Some(1), "{refused}");
    }
    for (name, times) in [
        ("role.created", 1),
        ("scope.created", 1),
        ("scope.deleted", 0),
        ("role.deleted", 0),
        ("user.deleted", 0),
        ("user.role_granted", 0),
        ("client.deleted", 0),
    ] {
        assert_eq!(events(&server, name).len(), times, "{name}");
    }

    // Each of these fails in its last statement, after its event was written.
    server.database.execute("ALTER TABLE installation ADD CHECK (version < 0) NOT VALID").await;
    for (command, event) in [
        ("role create editor", "role.created"),
        ("role delete chief", "role.deleted"),
        ("scope create pay --description Pay", "scope.created"),
        (&format!("client update {} --name Other", app.client_id), "client.changed"),
        (&format!("client delete {}", app.client_id), "client.deleted"),
    ] {
        let before = events(&server, event).len();
        let output = server.cli_output(&command.split(' ').collect::<Vec<_>>(), "");
        assert_eq!(output.status.code(), Some(1), "{command}");
        assert_eq!(events(&server, event).len(), before, "{command}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_authenticate_is_named_once_a_minute() {
    let (server, _) = server().await;
    let app = RelyingParty::register(&server, &[]);
    let wrong = app.with_secret(Some("grs_wrong"));
    for _ in 0..30 {
        wrong.introspect_refused().await;
    }
    let expected = json!({
        "actor_kind": "anonymous", "actor_id": null, "client_id": app.client_id, "target_id": app.client_id,
        "address": APP,
    });
    happened_once(&server, "client.authentication_failed", &expected);
    // Names that nobody has are not told apart, and not told.
    for name in ["grs_a-secret-in-the-wrong-place", "another", &password_of("alice")] {
        let mut nobody = wrong.clone();
        nobody.client_id = name.to_owned();
        nobody.introspect_refused().await;
    }
    let all = events(&server, "client.authentication_failed");
    assert_eq!(all.len(), 2, "{all:#?}");
    assert_eq!((&all[1]["client_id"], &all[1]["target_id"]), (&json!(null), &json!(null)));
}

impl RelyingParty {
    async fn introspect_refused(&self) {
        self.post("/introspect", &[("token", "x")]).await.assert_refused(401, "invalid_client");
    }
}
