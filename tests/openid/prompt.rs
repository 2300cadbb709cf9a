//! `prompt` (OpenID Connect Core §3.1.2.1, §3.1.2.6). Cases 61 and 62.

use reqwest::Method;
use sqlx::Row;

use super::stage::{Stage, assert_error, told};
use crate::harness::{Answer, Browser, claims_of, pkce};

#[tokio::test]
async fn a_fresh_sign_in_is_asked_of_the_person_who_is_signed_in() {
    let stage = Stage::new().await;
    let browser = stage.browser_of("alice").await;
    for post in [false, true] {
        let more = [("prompt", "login")];
        let page = if post { stage.post(&browser, &more).await } else { stage.open(&browser, &more).await };
        assert!(page.has_id("login-submit"), "{:?}", page.location());
        assert_eq!(page.form().1["username"], "alice");
        assert_eq!(page.form().1["password"], "");
        assert_eq!(page.text_of("h1"), "Sign in again");
        assert!(browser.sign_in_on(&page, "alice").await.parameter("code").is_some());
    }
    // Whose name the client knows better stands there.
    let page = stage.open(&browser, &[("prompt", "login"), ("login_hint", "bob")]).await;
    assert_eq!((page.form().1["username"].as_str(), page.text_of("h1").as_str()), ("bob", "Sign in"));
    // Somebody else may sign in instead, and is asked for the own consent.
    let page = browser.sign_in_on(&page, "bob").await;
    assert!(page.has_id("consent-allow") && page.text_of(".person").contains("bob"));
}

#[tokio::test]
async fn nobody_is_named_to_a_browser_that_is_not_signed_in() {
    let stage = Stage::new().await;
    let page = stage.open(&Browser::new(&stage.server), &[("prompt", "login")]).await;
    assert_eq!((page.form().1["username"].as_str(), page.text_of("h1").as_str()), ("", "Sign in"));
}

#[tokio::test]
async fn an_account_is_chosen_on_a_page_of_its_own() {
    let stage = Stage::new().await;
    let browser = stage.browser_of("alice").await;
    for post in [false, true] {
        let more = [("prompt", "select_account")];
        let page = if post { stage.post(&browser, &more).await } else { stage.open(&browser, &more).await };
        assert!(page.has_id("account-continue") && page.has_id("account-other"), "{}", page.body);
        assert!(page.text_of("#account-continue").contains("alice"));
        // Going round it leads back.
        let around =
            browser.follow(browser.get(&page.url.replace("/select-account", "/consent")).await).await;
        assert!(around.has_id("account-continue"), "{:?}", around.location());
        let answer = browser.follow(browser.submit(&page, &[]).await).await;
        assert!(answer.parameter("code").is_some(), "{:?}", answer.location());
    }
    // What was chosen once is not chosen for the next request.
    assert!(stage.open(&browser, &[("prompt", "select_account")]).await.has_id("account-continue"));
}

#[tokio::test]
async fn another_account_is_signed_in_from_there() {
    let stage = Stage::new().await;
    let browser = stage.browser_of("alice").await;
    let page = stage.open(&browser, &[("prompt", "select_account")]).await;
    let page = browser.get(&page.attribute("#account-other", "href").unwrap()).await;
    assert_eq!((page.form().1["username"].as_str(), page.text_of("h1").as_str()), ("", "Sign in"));
    // Who signs in has chosen by that.
    let page = browser.sign_in_on(&page, "bob").await;
    assert!(page.has_id("consent-allow") && page.text_of(".person").contains("bob"));
    assert!(browser.submit(&page, &[("decision", "allow")]).await.parameter("code").is_some());
}

#[tokio::test]
async fn with_nobody_signed_in_choosing_is_signing_in() {
    let stage = Stage::new().await;
    let browser = Browser::new(&stage.server);
    let page = stage.open(&browser, &[("prompt", "select_account")]).await;
    let page = browser.sign_in_on(&page, "alice").await;
    assert!(page.has_id("consent-allow"), "{}", page.url);
}

// Case 60.
#[tokio::test]
async fn a_choice_counts_in_the_session_that_made_it_and_nowhere_else() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.browser_of("alice").await, stage.browser_of("bob").await);
    let elsewhere = stage.browser_of("alice").await;
    let page = stage.open(&alice, &[("prompt", "select_account")]).await;
    let chosen = alice.submit(&page, &[]).await.location().unwrap();
    // The address after the choice, in Bob's browser and in another one of Alice's own.
    for other in [&bob, &elsewhere] {
        let answer = other.follow(other.get(&chosen).await).await;
        assert!(answer.has_id("account-continue"), "{:?}", answer.location());
    }
    // Alice's whole form in Bob's browser, and Bob's token in Alice's.
    let csrf = stage.open(&bob, &[("prompt", "select_account")]).await.form().1["csrf"].clone();
    for answer in [bob.submit(&page, &[]).await, alice.submit(&page, &[("csrf", &csrf)]).await] {
        assert!(answer.has_id("account-continue"), "{:?}", answer.location());
    }
    // Another site's form.
    let (action, fields) = page.form();
    let request = alice.request(Method::POST, &action).header("origin", "https://evil.example");
    let answer = Answer::read(request.form(&fields).send().await.unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (403, None));
    // And where it was made it still counts.
    assert!(alice.get(&chosen).await.parameter("code").is_some());
}

#[tokio::test]
async fn a_form_that_comes_after_signing_out_asks_to_sign_in() {
    let stage = Stage::new().await;
    let browser = stage.browser_of("alice").await;
    let page = stage.open(&browser, &[("prompt", "select_account")]).await;
    browser.submit(&browser.get("/sign-out").await, &[]).await;
    let answer = browser.submit(&page, &[]).await;
    assert!(answer.location().unwrap().starts_with("/sign-in?request="), "{:?}", answer.location());
}

#[tokio::test]
async fn prompts_add_up() {
    let stage = Stage::new().await;
    let browser = stage.browser_of("alice").await;
    let page = stage.open(&browser, &[("prompt", "select_account consent")]).await;
    let page = browser.follow(browser.submit(&page, &[]).await).await;
    assert!(page.has_id("consent-allow"), "{:?}", page.location());
    assert!(browser.submit(&page, &[("decision", "allow")]).await.parameter("code").is_some());
    // A fresh sign-in is a choice, too.
    let page = stage.open(&browser, &[("prompt", "select_account login consent")]).await;
    let page = browser.sign_in_on(&page, "alice").await;
    assert!(page.has_id("consent-allow"), "{:?}", page.location());
}

/// What a silent request must not change.
async fn sessions(stage: &Stage) -> Vec<String> {
    let mut sql = stage.server.database.sql().await;
    let rows = sqlx::query("SELECT sessions::text AS session FROM sessions ORDER BY id").fetch_all(&mut sql);
    rows.await.unwrap().iter().map(|row| row.get("session")).collect()
}

#[tokio::test]
async fn a_silent_refusal_says_the_same_of_everybody_and_leaves_no_trace() {
    let stage = Stage::new().await;
    let alice = stage.browser_of("alice").await;
    let (_, challenge) = pkce();
    let tokens = stage.app.sign_in(&stage.browser_of("bob").await, "bob", &[]).await;
    let hint_of_bob = tokens.0["id_token"].as_str().unwrap();
    let before = sessions(&stage).await;
    let nobody = Browser::new(&stage.server);
    let mut answers = Vec::new();
    for (browser, more) in [
        (&nobody, &[("prompt", "none")][..]),
        (&alice, &[("prompt", "none"), ("max_age", "0")]),
        (&alice, &[("prompt", "none"), ("id_token_hint", hint_of_bob)]),
        (&nobody, &[("prompt", "none"), ("id_token_hint", hint_of_bob)]),
    ] {
        answers.push(browser.get(&stage.app.authorize_path(&challenge, more)).await);
        answers.push(stage.post(browser, more).await);
    }
    for answer in &answers {
        assert_error(answer, "login_required", "silent");
        assert_eq!(told(answer), told(&answers[0]));
        assert_eq!(answer.cookies(), Vec::<&str>::new());
        assert_eq!(answer.body, "");
    }
    let more = [("prompt", "none"), ("scope", "openid email")];
    let answer = alice.get(&stage.app.authorize_path(&challenge, &more)).await;
    assert_error(&answer, "consent_required", "more than was agreed to");
    assert_eq!((answer.cookies(), answer.body.as_str()), (Vec::new(), ""));
    assert_eq!(sessions(&stage).await, before);
}

#[tokio::test]
async fn a_silent_request_is_answered_on_the_way_from_another_site() {
    let stage = Stage::new().await;
    let browser = stage.browser_of("alice").await;
    let (verifier, challenge) = pkce();
    let path = stage.app.authorize_path(&challenge, &[("prompt", "none")]);
    let request = browser.request(Method::GET, &path).header("sec-fetch-site", "cross-site");
    let request = request.header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document");
    let answer = Answer::read(request.send().await.unwrap()).await;
    let code = answer.parameter("code").unwrap_or_else(|| panic!("{:?}", answer.location()));
    let tokens = stage.app.redeem(&code, &verifier, &[]).await.json();
    assert!(claims_of(tokens["id_token"].as_str().unwrap())["auth_time"].is_i64());
}

#[tokio::test]
async fn a_session_that_ends_in_the_middle_of_a_silent_request_shows_no_page() {
    let stage = Stage::new().await;
    for (prompt, leads_to) in
        [("none", "https://app.example/callback?error=login_required"), ("", "/sign-in?")]
    {
        let browser = stage.browser_of("alice").await;
        let mut sql = stage.server.database.sql().await;
        // The request sees the session alive, and waits for this to write its grant.
        sqlx::query("BEGIN").execute(&mut sql).await.unwrap();
        sqlx::query("UPDATE sessions SET ended_at = now() WHERE ended_at IS NULL")
            .execute(&mut sql)
            .await
            .unwrap();
        let path = stage.app.authorize_path(&pkce().1, &[("prompt", prompt)]);
        let asking = tokio::spawn(async move { browser.get(&path).await });
        stage.server.database.until_waiting(1).await;
        sqlx::query("COMMIT").execute(&mut sql).await.unwrap();
        let location = asking.await.unwrap().location().unwrap();
        assert!(location.starts_with(leads_to), "{prompt}: {location}");
    }
}
