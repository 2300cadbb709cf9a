//! What a client may say of the person, and what it may wish (OpenID Connect Core §3.1.2.1).

use super::stage::{Stage, assert_error};
use crate::harness::{Browser, RelyingParty, claims_of, pkce};

/// An ID token that this person's sign-in gave to this client.
async fn id_token(stage: &Stage, app: &RelyingParty, name: &str) -> String {
    let tokens = app.sign_in(&Browser::new(&stage.server), name, &[]).await;
    tokens.0["id_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_request_for_one_person_is_answered_for_that_person_alone() {
    let stage = Stage::new().await;
    let hint = id_token(&stage, &stage.app, "alice").await;
    let (alice, bob) = (stage.browser_of("alice").await, stage.browser_of("bob").await);
    for prompt in ["", "none"] {
        let more = [("id_token_hint", hint.as_str()), ("prompt", prompt)];
        for answer in [stage.open(&alice, &more).await, stage.post(&alice, &more).await] {
            assert!(answer.parameter("code").is_some(), "{:?}", answer.location());
        }
    }
    let silent = [("id_token_hint", hint.as_str()), ("prompt", "none")];
    for browser in [&bob, &Browser::new(&stage.server)] {
        assert_error(&stage.open(browser, &silent).await, "login_required", "silent");
        assert_error(&stage.post(browser, &silent).await, "login_required", "silent, posted");
    }
}

#[tokio::test]
async fn where_another_person_is_signed_in_the_right_one_may_come() {
    let stage = Stage::new().await;
    let hint = id_token(&stage, &stage.app, "alice").await;
    let sub = claims_of(&hint)["sub"].clone();
    let bob = stage.browser_of("bob").await;
    let more = [("id_token_hint", hint.as_str())];
    // Neither of the two is named.
    let page = stage.open(&bob, &more).await;
    assert_eq!((page.form().1["username"].as_str(), page.text_of("h1").as_str()), ("", "Sign in"));
    assert!(!page.url.contains(&hint) && !page.body.contains(&hint));
    assert!(page.text_of("main").contains("not with the account that the app asks for"), "{}", page.body);
    // Bob again: the client learns that it is not Alice.
    let answer = bob.sign_in_on(&page, "bob").await;
    assert_error(&answer, "login_required", "the wrong person");
    // Alice: the client gets what it asked for.
    let (verifier, challenge) = pkce();
    let page = bob.follow(bob.get(&stage.app.authorize_path(&challenge, &more)).await).await;
    let code = bob.sign_in_on(&page, "alice").await.parameter("code").expect("a code");
    let tokens = stage.app.redeem(&code, &verifier, &[]).await.json();
    assert_eq!(claims_of(tokens["id_token"].as_str().unwrap())["sub"], sub);
}

#[tokio::test]
async fn choosing_an_account_does_not_get_round_a_hint() {
    let stage = Stage::new().await;
    let hint = id_token(&stage, &stage.app, "alice").await;
    let bob = stage.browser_of("bob").await;
    let more = [("id_token_hint", hint.as_str()), ("prompt", "select_account")];
    assert!(stage.open(&bob, &more).await.has_id("login-submit"));
    let alice = stage.browser_of("alice").await;
    assert!(stage.open(&alice, &more).await.has_id("account-continue"));
}

#[tokio::test]
async fn only_an_id_token_of_this_client_is_a_hint() {
    let stage = Stage::new().await;
    let other = RelyingParty::register(&stage.server, &[]);
    let alice = stage.browser_of("alice").await;
    let tokens = stage.app.sign_in(&alice, "alice", &[]).await;
    let own = tokens.0["id_token"].as_str().unwrap();
    let foreign = id_token(&stage, &other, "alice").await;
    let (head, _) = own.rsplit_once('.').unwrap();
    let unsigned = format!("{head}.");
    let forged = format!("{head}.{}", foreign.rsplit('.').next().unwrap());
    // Case 49.
    for (what, hint) in [
        ("another client's", foreign.as_str()),
        ("an access token", tokens.access_token()),
        ("unsigned", &unsigned),
        ("another signature", &forged),
        ("junk", "junk"),
        ("a name", "alice"),
    ] {
        for prompt in ["", "none"] {
            let more = [("id_token_hint", hint), ("prompt", prompt)];
            assert_error(&stage.open(&alice, &more).await, "invalid_request", what);
            assert_error(&stage.post(&alice, &more).await, "invalid_request", what);
        }
    }
    let twice =
        format!("{}&id_token_hint={own}", stage.app.authorize_path(&pkce().1, &[("id_token_hint", own)]));
    assert_error(&alice.get(&twice).await, "invalid_request", "twice");
    // Case 83.
    assert!(!stage.server.log().contains(own.split('.').nth(2).unwrap()));
}

#[tokio::test]
async fn wishes_that_nothing_follows_from_do_no_harm() {
    let stage = Stage::new().await;
    let browser = stage.browser_of("alice").await;
    for wish in [
        ("display", "page"),
        ("display", "popup"),
        ("display", "touch"),
        ("display", "wap"),
        ("display", "hologram"),
        ("ui_locales", "fr-CA fr en"),
        ("ui_locales", "xx"),
        ("claims_locales", "fr en"),
        ("acr_values", "phr 1"),
        ("extra", "foobar"),
    ] {
        for answer in [stage.open(&browser, &[wish]).await, stage.post(&browser, &[wish]).await] {
            assert!(answer.parameter("code").is_some(), "{wish:?}: {:?}", answer.location());
        }
    }
    // On the pages, too, also to somebody who is not signed in.
    for wish in [("display", "popup"), ("ui_locales", "fr"), ("prompt", "login")] {
        assert!(stage.open(&Browser::new(&stage.server), &[wish]).await.has_id("login-submit"), "{wish:?}");
    }
    let metadata = browser.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["display_values_supported"], serde_json::json!(["page", "popup", "touch"]));
    assert_eq!(metadata["ui_locales_supported"], serde_json::json!(["en"]));
}

#[tokio::test]
async fn what_is_not_supported_is_refused_as_the_metadata_says() {
    let stage = Stage::new().await;
    let browser = stage.browser_of("alice").await;
    let metadata = browser.get("/.well-known/openid-configuration").await.json();
    // OpenID Connect Discovery §3: left out, the latter would mean true.
    assert_eq!(metadata["request_parameter_supported"], false);
    assert_eq!(metadata["request_uri_parameter_supported"], false);
    for (parameter, error) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        for prompt in ["", "none", "select_account"] {
            let more = [(parameter, "https://app.example/r"), ("prompt", prompt)];
            assert_error(&stage.open(&browser, &more).await, error, parameter);
            assert_error(&stage.post(&browser, &more).await, error, parameter);
        }
    }
}
