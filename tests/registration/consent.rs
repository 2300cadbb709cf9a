//! What people are told of an app that nobody has checked.

use serde_json::json;

use super::{open, registered, text, web_app_with};
use crate::harness::{Browser, RelyingParty, Server, pkce};

#[tokio::test]
async fn both_pages_say_so_with_the_address_and_no_picture_is_loaded() {
    let server = Server::start_with(open()).await;
    server.user("alice", &[]);
    let more = json!({
        "client_name": "Your Bank", "logo_uri": "https://evil.example/bank.png",
        "policy_uri": "https://evil.example/privacy", "tos_uri": "https://evil.example/terms",
        "redirect_uris": ["https://evil.example/callback"],
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
