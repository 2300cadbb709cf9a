//! The apps with access to the own account, and taking that back.

use serde_json::json;

use crate::harness::{Answer, Browser, RelyingParty, Server, Tokens, pkce};

const OFFLINE: [(&str, &str); 1] = [("scope", "openid email offline_access")];

struct Scene {
    server: Server,
    app: RelyingParty,
    browser: Browser,
    tokens: Tokens,
}

impl Scene {
    async fn new() -> Self {
        let server = Server::start().await;
        server.user("alice", &[]);
        let app = RelyingParty::register(&server, &["--name", "Bakery <1> & Söhne"]);
        let browser = Browser::new(&server);
        let tokens = app.sign_in(&browser, "alice", &OFFLINE).await;
        Self { server, app, browser, tokens }
    }

    /// The page that asks whether this app shall lose its access.
    async fn question(&self) -> Answer {
        let list = self.browser.get("/account/apps").await;
        self.browser.get(&list.attribute(".entries a", "href").unwrap()).await
    }
}

#[tokio::test]
async fn each_is_told_with_what_it_may_do() {
    let Scene { server, app, browser, .. } = Scene::new().await;
    let page = browser.get("/account/apps").await;
    let entry = page.text_of(".entries > li");
    assert!(entry.starts_with("Bakery <1> & Söhne Has access now, also while you are away."), "{entry}");
    for words in [
        "See your e-mail address",
        "Keep this access while you are away",
        "app.example",
        "Allowed in the last",
    ] {
        assert!(entry.contains(words), "{words}: {entry}");
    }
    assert!(!entry.contains("See your name and profile") && !entry.contains("Last allowed"), "{entry}");
    assert!(!entry.contains("Unverified") && !entry.contains("Whoever runs"), "{entry}");

    // More, later.
    app.sign_in(&browser, "alice", &[]).await;
    let entry = browser.get("/account/apps").await.text_of(".entries > li");
    assert!(entry.contains("See your name and profile") && entry.contains("Last allowed"), "{entry}");

    for (column, words) in [
        ("self_registered = true", "Unverified It gave itself this name"),
        ("skip_consent = true", "Whoever runs your account has chosen it"),
        ("disabled_at = now()", "Switched off at present"),
    ] {
        server.database.execute(&format!("UPDATE clients SET {column}")).await;
        let entry = browser.get("/account/apps").await.text_of(".entries > li");
        assert!(entry.contains(words), "{words}: {entry}");
    }
}

#[tokio::test]
async fn it_says_what_an_app_holds_at_present() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let holds = || async {
        let entry = browser.get("/account/apps").await.text_of(".entries > li");
        ["also while you are away", "until you sign out", "no access now"]
            .into_iter()
            .find(|words| entry.contains(words))
            .unwrap_or_else(|| panic!("{entry}"))
    };
    browser.sign_in("alice").await;
    assert!(browser.get("/account/apps").await.body.contains("No app can use your account."));
    let tied = app.sign_in(&browser, "alice", &[]).await;
    assert_eq!(holds().await, "until you sign out");
    let lasting = app.sign_in(&browser, "alice", &OFFLINE).await;
    assert_eq!(holds().await, "also while you are away");
    app.revoke(lasting.refresh_token()).await;
    assert_eq!(holds().await, "until you sign out");
    app.revoke(tied.refresh_token()).await;
    assert_eq!(holds().await, "no access now");
    // A code that nobody has redeemed is no lasting access, nor is a refresh token that has expired.
    app.code(&browser, "alice", &OFFLINE).await;
    assert_eq!(holds().await, "no access now");
    app.sign_in(&browser, "alice", &OFFLINE).await;
    server.database.execute("UPDATE grants SET idle_expires_at = clock_timestamp()").await;
    assert_eq!(holds().await, "no access now");
}

// Case 43.
#[tokio::test]
async fn taken_back_it_ends_at_once_and_has_to_ask_again() {
    let scene = Scene::new().await;
    let Scene { app, browser, tokens, .. } = &scene;
    let (code, verifier) = app.code(browser, "alice", &OFFLINE).await;
    let question = scene.question().await;
    assert_eq!(question.text_of("h1"), "Take access back from Bakery <1> & Söhne?");
    // Asking changes nothing.
    let tokens = app.refresh(tokens.refresh_token(), &[]).await.tokens();

    let done = browser.submit(&question, &[]).await;
    assert_eq!(
        (done.status.as_u16(), done.text_of("h1").as_str()),
        (200, "Bakery <1> & Söhne has no access any more")
    );
    assert_eq!(app.introspect(tokens.access_token()).await, json!({"active": false}));
    assert_eq!(app.introspect(tokens.refresh_token()).await, json!({"active": false}));
    app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    app.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
    assert!(!browser.get("/account/apps").await.exists(".entries"));
    // Who sends the form once more is told what is so.
    assert_eq!(browser.submit(&question, &[]).await.location().as_deref(), Some("/account/apps"));

    let silent = browser.get(&app.authorize_path(&pkce().1, &[("prompt", "none")])).await;
    assert_eq!(silent.parameter("error").as_deref(), Some("consent_required"));
    let asked = browser.follow(browser.get(&app.authorize_path(&pkce().1, &OFFLINE)).await).await;
    assert!(asked.has_id("consent-allow"), "{:?}", asked.location());
    let anew = app.sign_in(browser, "alice", &OFFLINE).await;
    assert_eq!(app.introspect(anew.access_token()).await["active"], true);
    app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn agreeing_anew_revives_nothing_also_with_a_clock_that_was_set_back() {
    let scene = Scene::new().await;
    let Scene { server, app, browser, tokens } = &scene;
    browser.submit(&scene.question().await, &[]).await;
    app.sign_in(browser, "alice", &OFFLINE).await;
    // As if the database's clock had been an hour behind when she agreed again.
    let moved = "UPDATE consents SET created_at = created_at - interval '1 h', updated_at = updated_at - interval '1 h'";
    assert_eq!(server.database.execute(moved).await, 1);
    assert_eq!(app.introspect(tokens.access_token()).await, json!({"active": false}));
    app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn only_the_own_form_takes_anything_back() {
    let scene = Scene::new().await;
    let Scene { browser, app, tokens, .. } = &scene;
    let question = scene.question().await;
    let csrf_of_page = browser.get("/account/sessions").await.form().1["csrf"].clone();
    // Case 60.
    for csrf in ["", &csrf_of_page] {
        let answer = browser.submit(&question, &[("csrf", csrf)]).await;
        assert!(answer.has_id("withdraw-confirm"), "asked again: {}", answer.body);
    }
    let request = browser
        .request(reqwest::Method::POST, "/account/apps/withdraw")
        .header("origin", "https://evil.example");
    assert_eq!(request.form(&question.form().1).send().await.unwrap().status(), 403);
    assert_eq!(app.introspect(tokens.access_token()).await["active"], true);
}

#[tokio::test]
async fn nobody_sees_or_takes_back_what_others_have_allowed() {
    let scene = Scene::new().await;
    let Scene { server, app, browser, tokens } = &scene;
    server.user("mallory", &[]);
    let mallory = Browser::new(server);
    mallory.sign_in("mallory").await;
    assert!(mallory.get("/account/apps").await.body.contains("No app can use your account."));
    let path = format!("/account/apps/withdraw?client_id={}", app.client_id);
    assert_eq!(mallory.get(&path).await.location().as_deref(), Some("/account/apps"));

    // She has agreed to another app, and names Alice's in its form.
    let other = RelyingParty::register(server, &[]);
    other.sign_in(&mallory, "mallory", &[]).await;
    let own = mallory.get(&format!("/account/apps/withdraw?client_id={}", other.client_id)).await;
    let answer = mallory.submit(&own, &[("client_id", &app.client_id)]).await;
    assert_eq!(answer.location().as_deref(), Some("/account/apps"));
    assert_eq!(app.introspect(tokens.access_token()).await["active"], true);

    // And where both use the same app, hers ends alone.
    let hers = app.sign_in(&mallory, "mallory", &OFFLINE).await;
    mallory.submit(&mallory.get(&path).await, &[]).await;
    assert_eq!(app.introspect(hers.access_token()).await, json!({"active": false}));
    assert_eq!(app.introspect(tokens.access_token()).await["active"], true);
    assert!(browser.get("/account/apps").await.exists(".entries"));
    for junk in ["", "x", "%27%20OR%201=1", "a%20b"] {
        let answer = mallory.get(&format!("/account/apps/withdraw?client_id={junk}")).await;
        assert_eq!(answer.location().as_deref(), Some("/account/apps"), "{junk}");
    }
}

#[tokio::test]
async fn a_long_list_is_cut() {
    let Scene { server, browser, .. } = Scene::new().await;
    let clients =
        "INSERT INTO clients (client_id, name, confidential, application_type, auth_method, grant_types)
                   SELECT 'many-' || n, 'App ' || n, false, 'web', 'none', '{authorization_code}'
                   FROM generate_series(1, 110) AS n";
    assert_eq!(server.database.execute(clients).await, 110);
    let consents =
        "INSERT INTO consents SELECT u.id, c.client_id, '{openid}', now(), now() FROM users u, clients c
                    ON CONFLICT DO NOTHING";
    assert_eq!(server.database.execute(consents).await, 110);
    let page = browser.get("/account/apps").await;
    assert_eq!(page.body.matches("Take access back").count(), 100);
    assert!(page.body.contains("There are more than these 100."));
}

#[tokio::test]
async fn an_app_that_has_made_grants_without_end_loses_them_all_the_same() {
    let scene = Scene::new().await;
    let Scene { server, app, browser, tokens } = &scene;
    let many = "INSERT INTO grants (id, user_id, client_id, requested_scopes, scopes, resources, auth_time, created_at,
                    expires_at, refresh_hash, refresh_key_id, refreshed_at, idle_expires_at)
                SELECT overlay(gen_random_uuid()::text PLACING left(id::text, 4) FROM 1)::uuid, user_id, client_id,
                    requested_scopes, scopes, resources, auth_time, created_at, expires_at, refresh_hash, refresh_key_id,
                    refreshed_at, idle_expires_at
                FROM grants, generate_series(1, 12000)";
    assert_eq!(server.database.execute(many).await, 12_000);
    let done = browser.submit(&scene.question().await, &[]).await;
    assert_eq!(done.status, 200);
    assert_eq!(app.introspect(tokens.access_token()).await, json!({"active": false}));
    app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    let mut sql = server.database.sql().await;
    let living: i64 =
        sqlx::query_scalar("SELECT count(*) FROM live_grants").fetch_one(&mut sql).await.unwrap();
    let revoked = "SELECT count(*) FROM grants WHERE revoked_reason = 'consent_withdrawn'";
    let revoked: i64 = sqlx::query_scalar(revoked).fetch_one(&mut sql).await.unwrap();
    assert_eq!((living, revoked), (0, 10_000));
}
