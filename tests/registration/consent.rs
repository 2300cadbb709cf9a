//! What people are told of an app that nobody has checked.

use reqwest::Method;
use serde_json::{Value, json};

use super::{open, own_path, registered, send, text, web_app_with};
use crate::harness::{Browser, RelyingParty, Server, pkce};

/// Whether the person is asked on the way to this address.
async fn is_asked(app: &RelyingParty, browser: &Browser, more: &[(&str, &str)]) -> bool {
    let page = browser.get(&app.authorize_path(&pkce().1, more)).await;
    browser.follow(page).await.has_id("consent-allow")
}

/// The client says this of itself from now on.
async fn change(server: &Server, told: &Value, more: &Value) -> Value {
    let mut body = web_app_with(more);
    body["client_id"] = told["client_id"].clone();
    let token = Some(text(told, "registration_access_token"));
    let path = own_path(server, told);
    let answer = send(&Browser::new(server), Method::PUT, &path, token, Some(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    server.change_arrives().await;
    answer.json()
}

#[tokio::test]
async fn every_page_says_so_with_the_address_and_no_picture_is_loaded() {
    let server = Server::start_with(open()).await;
    server.user("alice", &[]);
    let more = json!({
        "client_name": "Your Bank", "logo_uri": "https://evil.example/bank.png",
        "policy_uri": "https://evil.example/privacy", "tos_uri": "https://evil.example/terms",
        "redirect_uris": ["https://evil.example/callback"],
        "post_logout_redirect_uris": ["https://evil.example/bye"],
    });
    let told = registered(&server, &web_app_with(&more)).await;
    let app = RelyingParty::registered(&server, &told);
    let browser = Browser::new(&server);
    let path = app.authorize_path(&pkce().1, &[]);
    let sign_in = browser.follow(browser.get(&path).await).await;
    assert!(sign_in.text_of("#unverified").contains("nobody has checked"), "{}", sign_in.body);
    let consent = browser.sign_in_on(&sign_in, "alice").await;
    let notice = consent.text_of("#unverified");
    assert!(notice.contains("Nobody has checked") && notice.contains("evil.example"), "{notice}");
    for page in [&sign_in, &consent] {
        assert!(!page.exists("img") && !page.body.contains("bank.png"));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("img-src 'self' data:;"), "{policy}");
        for (href, words) in [
            ("https://evil.example/privacy", "Privacy policy"),
            ("https://evil.example/terms", "Terms of service"),
        ] {
            let link = format!("footer a[href='{href}']");
            assert_eq!(page.text_of(&link), words);
            assert_eq!(page.attribute(&link, "rel").as_deref(), Some("noopener noreferrer"));
        }
    }

    let chooses = app.authorize_path(&pkce().1, &[("prompt", "select_account")]);
    let logout =
        format!("/logout?client_id={}&post_logout_redirect_uri=https://evil.example/bye", app.client_id);
    for (path, button) in [(&chooses, "account-continue"), (&logout, "logout-confirm")] {
        let page = browser.follow(browser.get(path).await).await;
        assert!(
            page.has_id(button) && page.text_of("#unverified").contains("nobody has checked"),
            "{}",
            page.body
        );
    }

    // With an operator's word the warning goes, and the links stay.
    server.cli(&["client", "update", text(&told, "client_id"), "--vouch"]);
    server.change_arrives().await;
    let consent = browser.follow(browser.get(&path).await).await;
    assert!(consent.has_id("consent-allow") && !consent.exists("#unverified"));
    assert!(consent.exists("footer a"));
}

#[tokio::test]
async fn nobody_skips_the_question_for_an_app_that_registered_itself() {
    let server = Server::start_with(open()).await;
    server.user("alice", &[]);
    let told = registered(&server, &web_app_with(&json!({ "skip_consent": true }))).await;
    let app = RelyingParty::registered(&server, &told);
    let browser = Browser::new(&server);
    browser.sign_in("alice").await;
    let page = browser.follow(browser.get(&app.authorize_path(&pkce().1, &[])).await).await;
    assert!(page.has_id("consent-allow"), "{}", page.body);
}

#[tokio::test]
async fn agreeing_to_one_address_of_an_unknown_app_is_not_agreeing_to_another() {
    let server = Server::start_with(open()).await;
    server.user("alice", &[]);
    let both = json!({ "redirect_uris": ["https://known.example/cb", "https://evil.example/cb"] });
    let told = registered(&server, &web_app_with(&both)).await;
    let app = RelyingParty::registered(&server, &told);
    let browser = Browser::new(&server);
    app.code(&browser, "alice", &[]).await;
    let evil = [("redirect_uri", "https://evil.example/cb")];
    assert!(is_asked(&app, &browser, &evil).await, "the page said known.example");

    // Nor by taking away the address that the page showed.
    change(&server, &told, &json!({ "redirect_uris": ["https://evil.example/cb"] })).await;
    assert!(is_asked(&app, &browser, &evil).await);

    // Two addresses in one place look the same to people.
    let one_place = json!({ "redirect_uris": ["https://app.example/a", "https://app.example/b"] });
    let app = RelyingParty::registered(&server, &registered(&server, &web_app_with(&one_place)).await);
    app.code(&browser, "alice", &[]).await;
    assert!(!is_asked(&app, &browser, &[("redirect_uri", "https://app.example/b")]).await);
}

#[tokio::test]
async fn a_change_while_somebody_agrees_does_not_turn_the_answer_to_another_address() {
    let server = Server::start_with(open()).await;
    server.user("alice", &[]);
    let told = registered(&server, &web_app_with(&json!({}))).await;
    let app = RelyingParty::registered(&server, &told);
    let browser = Browser::new(&server);
    browser.sign_in("alice").await;
    let page = browser.follow(browser.get(&app.authorize_path(&pkce().1, &[])).await).await;
    assert!(page.has_id("consent-allow"));
    // What a change does, up to the moment before it is written.
    let mut change = server.database.sql().await;
    let statement = "BEGIN; UPDATE clients SET redirect_uris = '{https://evil.example/cb}'; UPDATE consents SET scopes = '{}'";
    sqlx::raw_sql(statement).execute(&mut change).await.unwrap();
    let agrees = browser.submit(&page, &[("decision", "allow")]);
    let commits = async {
        server.database.until_waiting(1).await;
        sqlx::raw_sql("COMMIT").execute(&mut change).await.unwrap();
    };
    let (answer, ()) = futures_util::join!(agrees, commits);
    assert_eq!(answer.parameter("code"), None, "{:?}", answer.location());
    let consents: i64 = sqlx::query_scalar("SELECT count(*) FROM consents")
        .fetch_one(&mut server.database.sql().await)
        .await
        .unwrap();
    assert_eq!(consents, 0, "it would count for the new address");
}

#[tokio::test]
async fn at_another_address_nothing_counts_that_was_agreed_to_before() {
    let server = Server::start_with(open()).await;
    server.user("alice", &[]);
    let told = registered(&server, &web_app_with(&json!({}))).await;
    let app = RelyingParty::registered(&server, &told);
    let browser = Browser::new(&server);
    let by_name = [("scope", "openid"), ("claims", r#"{"userinfo":{"email":null}}"#)];
    app.code(&browser, "alice", &by_name).await;
    assert!(!is_asked(&app, &browser, &by_name).await);

    let elsewhere = json!({ "redirect_uris": ["https://evil.example/cb"] });
    let told = change(&server, &told, &elsewhere).await;
    let mut moved = app.clone();
    "https://evil.example/cb".clone_into(&mut moved.redirect_uri);
    moved.code(&browser, "alice", &[("scope", "openid")]).await;
    assert!(is_asked(&moved, &browser, &by_name).await, "the claim was not on the page");

    // Nor does a request that asks for nothing by name go through in silence.
    let nothing = json!({ "redirect_uris": ["https://worse.example/cb"], "scope": "offline_access" });
    change(&server, &told, &nothing).await;
    "https://worse.example/cb".clone_into(&mut moved.redirect_uri);
    assert!(is_asked(&moved, &browser, &[("scope", "")]).await);
}

#[tokio::test]
async fn nobody_is_sent_to_an_unknown_app_after_a_logout_that_did_not_happen() {
    // Case 65.
    let server = Server::start_with(open()).await;
    server.user("alice", &[]);
    let uri = "https://evil.example/phish";
    let told = registered(&server, &web_app_with(&json!({ "post_logout_redirect_uris": [uri] }))).await;
    let app = RelyingParty::registered(&server, &told);
    let browser = Browser::new(&server);
    let path = format!("/logout?client_id={}&post_logout_redirect_uri={uri}", app.client_id);
    let nobody = browser.get(&path).await;
    assert!(nobody.has_id("logout-done") && nobody.location().is_none(), "{}", nobody.body);

    // Who is signed in is told where it goes; an ID token shows that the app is one that was used.
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let page = browser.follow(browser.get(&path).await).await;
    assert!(page.has_id("logout-confirm") && page.body.contains("evil.example"), "{}", page.body);
    assert_eq!(browser.submit(&page, &[]).await.location().as_deref(), Some(uri));
    let hinted = format!("{path}&id_token_hint={}", tokens.0["id_token"].as_str().unwrap());
    assert_eq!(browser.get(&hinted).await.location().as_deref(), Some(uri));
}
