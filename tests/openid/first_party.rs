//! The operator's own apps, for which nobody is asked (`--skip-consent`).

use serde_json::{Value, json};

use super::stage::{Stage, assert_error};
use crate::harness::{Browser, RelyingParty};

fn events(stage: &Stage, name: &str) -> Vec<Value> {
    stage.server.cli(&["audit", "list", "--event", name]).as_array().unwrap().clone()
}

#[tokio::test]
async fn nobody_is_asked_and_the_log_does_not_say_that_they_were() {
    let stage = Stage::with(&["--skip-consent"]).await;
    let browser = Browser::new(&stage.server);
    let page = stage.open(&browser, &[]).await;
    assert!(browser.sign_in_on(&page, "alice").await.parameter("code").is_some());
    let skipped = events(&stage, "consent.skipped");
    assert_eq!(skipped.len(), 1, "{skipped:#?}");
    assert_eq!(skipped[0]["actor_kind"], "client");
    assert_eq!(skipped[0]["actor_id"], stage.app.client_id.as_str());
    assert_eq!(skipped[0]["details"], json!({ "scopes": ["openid", "profile"] }));
    assert!(skipped[0]["user_id"].is_string() && skipped[0]["grant_id"].is_string());

    // It is on file now: nothing more is written, also not for a silent request.
    for more in [&[][..], &[("prompt", "none")], &[("scope", "openid")]] {
        assert!(stage.open(&browser, more).await.parameter("code").is_some());
    }
    assert_eq!(events(&stage, "consent.skipped").len(), 1);
    // More than that is.
    assert!(stage.open(&browser, &[("scope", "openid email")]).await.parameter("code").is_some());
    assert_eq!(events(&stage, "consent.skipped").len(), 2);
    assert_eq!(events(&stage, "consent.given"), Vec::<Value>::new());
}

#[tokio::test]
async fn what_it_gets_lives_like_any_other_grant() {
    let stage = Stage::with(&["--skip-consent"]).await;
    let browser = Browser::new(&stage.server);
    let tokens = stage.app.sign_in(&browser, "alice", &[("scope", "openid offline_access")]).await;
    assert_eq!(stage.app.introspect(tokens.access_token()).await["active"], true);
    let tokens = stage.app.refresh(tokens.refresh_token(), &[]).await.tokens();
    // The person sees it among the others, and takes it back. Then it is dead, and the operator's word gives a new one.
    let list = browser.get("/account/apps").await;
    let question = browser.get(&list.attribute(".entries a", "href").unwrap()).await;
    browser.submit(&question, &[]).await;
    assert_eq!(stage.app.introspect(tokens.access_token()).await, json!({ "active": false }));
    stage.app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    let fresh = stage.app.sign_in(&browser, "alice", &[]).await;
    assert_eq!(stage.app.introspect(fresh.access_token()).await["active"], true);
    assert_eq!(stage.app.introspect(tokens.access_token()).await, json!({ "active": false }));
}

#[tokio::test]
async fn it_may_ask_all_the_same_and_still_signs_people_in() {
    let stage = Stage::with(&["--skip-consent"]).await;
    let browser = stage.browser_of("alice").await;
    let page = stage.open(&browser, &[("prompt", "consent")]).await;
    assert!(page.has_id("consent-allow"), "{:?}", page.location());
    let denied = browser.submit(&page, &[("decision", "deny")]).await;
    assert_error(&denied, "access_denied", "a no counts");
    let page = stage.open(&browser, &[("prompt", "consent")]).await;
    assert!(browser.submit(&page, &[("decision", "allow")]).await.parameter("code").is_some());
    assert_eq!(events(&stage, "consent.given").len(), 1);

    assert!(stage.open(&browser, &[("prompt", "login")]).await.has_id("login-submit"));
    assert!(stage.open(&browser, &[("prompt", "select_account")]).await.has_id("account-continue"));
    assert!(stage.open(&browser, &[("max_age", "0")]).await.has_id("login-submit"));
    let silent = stage.open(&Browser::new(&stage.server), &[("prompt", "none")]).await;
    assert_error(&silent, "login_required", "nobody is signed in");
}

#[tokio::test]
async fn restricted_scopes_still_need_a_role() {
    let stage = Stage::new().await;
    stage.server.cli(&["scope", "create", "admin", "--description", "Run everything", "--restricted"]);
    stage.server.cli(&["role", "create", "chief", "--scope", "admin"]);
    stage.server.user("carol", &["chief"]);
    let app = RelyingParty::register(&stage.server, &["--skip-consent", "--scope", "openid admin"]);
    stage.server.change_arrives().await;
    let asked = [("scope", "openid admin")];
    let alice = Browser::new(&stage.server);
    assert_eq!(app.sign_in(&alice, "alice", &asked).await.scope(), "openid");
    assert_eq!(app.sign_in(&Browser::new(&stage.server), "carol", &asked).await.scope(), "openid admin");
    // Where nothing is left, the person is told.
    let path = app.authorize_path(&crate::harness::pkce().1, &[("scope", "admin")]);
    let page = alice.follow(alice.get(&path).await).await;
    assert!(page.has_id("consent-deny") && !page.has_id("consent-allow"), "{:?}", page.location());
}

#[tokio::test]
async fn when_the_operator_no_longer_vouches_everybody_is_asked_who_was_not() {
    let stage = Stage::with(&["--skip-consent"]).await;
    let (alice, bob) = (stage.browser_of("alice").await, stage.browser_of("bob").await);
    // Bob was asked.
    let page = stage.open(&bob, &[("prompt", "consent")]).await;
    assert!(bob.submit(&page, &[("decision", "allow")]).await.parameter("code").is_some());
    stage.server.cli(&["client", "update", &stage.app.client_id, "--skip-consent", "false"]);
    stage.server.change_arrives().await;
    // Alice has allowed nothing of it before.
    let more = stage.open(&alice, &[("scope", "openid profile email")]).await;
    assert!(
        more.has_id("consent-allow") && !more.body.contains("As you have allowed before"),
        "{}",
        more.body
    );
    let page = stage.open(&alice, &[]).await;
    assert!(page.has_id("consent-allow"), "{:?}", page.location());
    assert_error(&stage.open(&alice, &[("prompt", "none")]).await, "consent_required", "silent");
    assert!(stage.open(&bob, &[]).await.parameter("code").is_some());
    // Alice agrees, and is not asked again.
    assert!(alice.submit(&page, &[("decision", "allow")]).await.parameter("code").is_some());
    assert!(stage.open(&alice, &[("prompt", "none")]).await.parameter("code").is_some());
}

// Case 67.
#[tokio::test]
async fn an_app_that_another_could_pose_as_is_refused_it() {
    let stage = Stage::new().await;
    for (arguments, accepted) in [
        (&["--redirect-uri", "https://app.example/cb"][..], true),
        (&["--redirect-uri", "https://app.example/cb", "--public"], true),
        (&["--redirect-uri", "com.example.app:/cb", "--public"], false),
        (&["--redirect-uri", "http://127.0.0.1/cb", "--public"], false),
        (&["--redirect-uri", "http://localhost:3000/cb", "--public", "--application-type", "web"], false),
        (&["--redirect-uri", "https://app.example/cb", "--application-type", "native"], false),
    ] {
        let create = ["client", "create", "--name", "Own", "--skip-consent"];
        let output = stage.server.cli_output(&[&create, arguments].concat(), "");
        assert_eq!(output.status.success(), accepted, "{arguments:?}");
        if !accepted {
            let error = String::from_utf8(output.stderr).unwrap();
            assert!(error.contains("invalid_client_metadata") && error.contains("pose"), "{error}");
        }
    }
    // Nor does it become one, whichever of the two changes come first.
    let update = ["client", "update", &stage.app.client_id, "--application-type", "native"];
    assert!(!stage.server.cli_output(&[&update[..], &["--skip-consent"]].concat(), "").status.success());
    stage.server.cli(&["client", "update", &stage.app.client_id, "--skip-consent"]);
    assert!(!stage.server.cli_output(&update, "").status.success());
    // Nor does one that registered itself.
    stage.server.cli(&["client", "update", &stage.app.client_id, "--skip-consent", "false"]);
    stage.server.database.execute("UPDATE clients SET self_registered = true").await;
    let vouch = ["client", "update", &stage.app.client_id, "--skip-consent"];
    assert!(!stage.server.cli_output(&vouch, "").status.success());
}
