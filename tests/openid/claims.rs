//! Claims that are asked for by name (OpenID Connect Core §5.5).

use serde_json::{Value, json};

use super::userinfo::{app, server, told};
use crate::harness::{Answer, Browser, RelyingParty, Tokens, claims_of, pkce};

/// The request's parameters for these claims, beside the scope openid.
fn asked(claims: &Value) -> [(&'static str, String); 2] {
    [("scope", "openid".to_owned()), ("claims", claims.to_string())]
}

async fn sign_in(app: &RelyingParty, browser: &Browser, scope: &str, claims: &Value) -> Tokens {
    app.sign_in(browser, "ada", &[("scope", scope), ("claims", &claims.to_string())]).await
}

/// Goes to the page after which nothing is left to decide.
async fn open(browser: &Browser, app: &RelyingParty, more: &[(&str, String)]) -> Answer {
    let more: Vec<_> = more.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.follow(browser.get(&app.authorize_path(&pkce().1, &more)).await).await
}

/// What the consent page lists, by technical names.
fn listed(page: &Answer) -> Vec<String> {
    let document = scraper::Html::parse_document(&page.body);
    let names = scraper::Selector::parse(".scopes code").unwrap();
    document.select(&names).map(|name| name.text().collect()).collect()
}

#[tokio::test]
async fn they_come_where_they_were_asked_for() {
    let (server, ada) = server().await;
    let (app, browser) = (app(&server, &[]), Browser::new(&server));
    let claims = json!({
        "userinfo": { "email": { "essential": true }, "nickname": { "essential": true }, "phone_number": null },
        "id_token": { "name": { "essential": true }, "locale": null, "auth_time": { "essential": true } },
        "other": 7,
    });
    let tokens = sign_in(&app, &browser, "openid", &claims).await;
    let expected = json!({ "sub": ada, "email": "ada@example.com", "phone_number": "+44 20 7946 0000" });
    assert_eq!(told(&server, tokens.access_token()).await, expected);
    let id_token = claims_of(tokens.0["id_token"].as_str().unwrap());
    assert_eq!((&id_token["name"], &id_token["locale"]), (&json!("Ada Lovelace"), &json!("en-GB")));
    assert!(
        id_token["auth_time"].is_i64()
            && id_token.get("email").is_none()
            && id_token.get("nickname").is_none()
    );
    // The scope says what it always said.
    assert_eq!(tokens.scope(), "openid");

    // Beside a scope, the ID token has what was asked for and UserInfo what the scope tells.
    let claims = json!({ "id_token": { "email": null } });
    let tokens = sign_in(&app, &browser, "openid email", &claims).await;
    assert_eq!(claims_of(tokens.0["id_token"].as_str().unwrap())["email"], "ada@example.com");
    assert_eq!(told(&server, tokens.access_token()).await["email_verified"], true);

    // Only the values that are wanted.
    let claims = json!({
        "userinfo": { "email": { "value": "bob@example.com" }, "locale": { "values": ["fr", "en-GB"] } },
    });
    let tokens = sign_in(&app, &browser, "openid", &claims).await;
    assert_eq!(told(&server, tokens.access_token()).await, json!({ "sub": ada, "locale": "en-GB" }));
}

#[tokio::test]
async fn they_outlive_a_refresh_and_end_with_the_registration() {
    let (server, ada) = server().await;
    let (app, browser) = (app(&server, &[]), Browser::new(&server));
    let claims = json!({ "userinfo": { "email": null } });
    let tokens = sign_in(&app, &browser, "openid offline_access", &claims).await;
    let tokens = app.refresh(tokens.refresh_token(), &[]).await.tokens();
    assert_eq!(told(&server, tokens.access_token()).await["email"], "ada@example.com");
    server.cli(&["client", "update", &app.client_id, "--scope", "openid profile offline_access"]);
    server.change_arrives().await;
    assert_eq!(told(&server, tokens.access_token()).await, json!({ "sub": ada }));
}

#[tokio::test]
async fn the_person_is_told_what_is_asked_for_beyond_the_scopes_and_once() {
    let (server, _) = server().await;
    let (app, browser) = (app(&server, &[]), Browser::new(&server));
    browser.sign_in("ada").await;
    let claims = json!({ "userinfo": { "phone_number": null }, "id_token": { "name": null } });
    let page = open(&browser, &app, &asked(&claims)).await;
    assert_eq!(listed(&page), ["openid", "name", "phone_number"]);
    assert!(page.body.contains("See your phone number") && page.body.contains("See your full name"));
    // The decision counts for what the page showed.
    let (_, form) = page.form();
    assert_eq!(form["claims"], "name phone_number");
    for other in ["", "name", "name phone_number email"] {
        let answer = browser.submit(&page, &[("decision", "allow"), ("claims", other)]).await;
        assert!(answer.has_id("consent-allow"), "{other:?}: {:?}", answer.location());
    }
    // Nothing was agreed to yet, whatever was agreed to of scopes. Case 67.
    let silent = |claims: &Value| {
        let [scope, claims] = asked(claims);
        [scope, claims, ("prompt", "none".to_owned())]
    };
    let refused = open(&browser, &app, &silent(&claims)).await;
    assert_eq!(refused.parameter("error").as_deref(), Some("consent_required"));
    assert!(browser.submit(&page, &[("decision", "allow")]).await.parameter("code").is_some());

    // The own account's page and the operator see it.
    let apps = browser.get("/account/apps").await;
    assert!(
        apps.body.contains("See your phone number") && apps.body.contains("See your full name"),
        "{}",
        apps.body
    );
    let consent = server.cli(&["consent", "list", "ada"])[0].clone();
    assert_eq!((&consent["scope"], &consent["claims"]), (&json!("openid"), &json!(["name", "phone_number"])));

    // On file is what was shown, and what a scope that was shown tells.
    for (claims, is_on_file) in [
        (claims.clone(), true),
        (json!({ "userinfo": { "name": null } }), true),
        (json!({}), true),
        (json!({ "userinfo": { "nickname": null } }), false),
        (json!({ "id_token": { "email": null } }), false),
        // What the client cannot have in any case is no reason to ask.
        (json!({ "userinfo": { "nonsense": null, "name#ja": null, "roles": null } }), true),
    ] {
        let answer = open(&browser, &app, &silent(&claims)).await;
        assert_eq!(answer.parameter("code").is_some(), is_on_file, "{claims}: {:?}", answer.location());
    }
    app.sign_in(&browser, "ada", &[("scope", "openid profile")]).await;
    let nickname = open(&browser, &app, &silent(&json!({ "userinfo": { "nickname": null } }))).await;
    assert!(nickname.parameter("code").is_some(), "the scope profile tells it");
}

#[tokio::test]
async fn no_claim_is_had_by_name_that_the_client_could_not_have_by_scope() {
    let (server, ada) = server().await;
    server.cli(&["scope", "create", "staff", "--description", "See that you work here", "--restricted"]);
    let claim = ["claim", "create", "salary", "--scope", "staff", "--description", "See your salary"];
    server.cli(&claim);
    server.cli(&["user", "update", "ada", "--claim", "salary=1000"]);
    server.cli(&["role", "create", "boss", "--scope", "staff"]);
    let narrow = RelyingParty::register(&server, &["--scope", "openid profile"]);
    let wide = RelyingParty::register(&server, &["--scope", "openid staff"]);
    server.change_arrives().await;
    let claims = json!({
        "userinfo": { "email": null, "salary": null, "name": null, "sub": null, "email_verified": null },
        "id_token": { "email": null, "salary": null, "phone_number": null },
    });
    let browser = Browser::new(&server);
    let tokens = sign_in(&narrow, &browser, "openid", &claims).await;
    assert_eq!(told(&server, tokens.access_token()).await, json!({ "sub": ada, "name": "Ada Lovelace" }));
    let id_token = claims_of(tokens.0["id_token"].as_str().unwrap());
    assert!(
        ["email", "salary", "phone_number"].iter().all(|name| id_token.get(name).is_none()),
        "{id_token}"
    );

    // A restricted scope's claims go with the role.
    let tokens = sign_in(&wide, &browser, "openid", &claims).await;
    assert_eq!(told(&server, tokens.access_token()).await, json!({ "sub": ada }));
    server.cli(&["user", "set-roles", "ada", "--role", "boss"]);
    let tokens = sign_in(&wide, &browser, "openid", &claims).await;
    assert_eq!(told(&server, tokens.access_token()).await, json!({ "sub": ada, "salary": 1000 }));
    server.cli(&["user", "set-roles", "ada"]);
    assert_eq!(told(&server, tokens.access_token()).await, json!({ "sub": ada }));

    // Neither the claims of a restricted scope nor the scope are in the metadata.
    let metadata = Browser::new(&server).get("/.well-known/openid-configuration").await.json();
    let supported = |name: &str| metadata["claims_supported"].as_array().unwrap().contains(&json!(name));
    assert!(supported("email") && supported("name") && supported("sub") && !supported("salary"));
}

#[tokio::test]
async fn a_deleted_claim_does_not_come_back_under_its_name() {
    let (server, ada) = server().await;
    let app = app(&server, &[]);
    let create = |scope: &'static str| {
        ["claim", "create", "department", "--scope", scope, "--description", "See your department"]
    };
    server.cli(&create("profile"));
    server.cli(&["user", "update", "ada", "--claim", "department=Engines"]);
    server.change_arrives().await;
    let metadata = Browser::new(&server).get("/.well-known/openid-configuration").await.json();
    assert!(metadata["claims_supported"].as_array().unwrap().contains(&json!("department")));
    let claims = json!({ "userinfo": { "department": null }, "id_token": { "department": null } });
    let browser = Browser::new(&server);
    let tokens = sign_in(&app, &browser, "openid", &claims).await;
    assert_eq!(told(&server, tokens.access_token()).await, json!({ "sub": ada, "department": "Engines" }));
    assert_eq!(claims_of(tokens.0["id_token"].as_str().unwrap())["department"], "Engines");

    server.cli(&["claim", "delete", "department"]);
    server.cli(&create("email"));
    server.cli(&["user", "update", "ada", "--claim", "department=Secret"]);
    server.change_arrives().await;
    assert_eq!(told(&server, tokens.access_token()).await, json!({ "sub": ada }));
    let again = open(&browser, &app, &asked(&claims)).await;
    assert!(again.has_id("consent-allow"), "what was agreed to was another claim");
}

#[tokio::test]
async fn another_persons_sub_is_not_answered() {
    let (server, ada) = server().await;
    let bob = server.user("bob", &[]);
    let (app, browser) = (app(&server, &[]), Browser::new(&server));
    app.sign_in(&browser, "ada", &[("scope", "openid")]).await;
    for (sub, fits) in [(ada.as_str(), true), (bob.as_str(), false), ("nobody", false)] {
        for member in ["id_token", "userinfo"] {
            for prompt in ["none", ""] {
                let claims = json!({ member: { "sub": { "value": sub } } });
                let mut more = asked(&claims).to_vec();
                more.push(("prompt", prompt.to_owned()));
                let answer = open(&browser, &app, &more).await;
                if fits {
                    assert!(answer.parameter("code").is_some(), "{sub} {prompt}: {:?}", answer.location());
                } else {
                    assert_eq!(answer.parameter("code"), None, "{sub} {prompt}: {:?}", answer.location());
                }
                if !fits && prompt == "none" {
                    assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_malformed_is_told_to_the_client() {
    let (server, _) = server().await;
    let (app, browser) = (app(&server, &[]), Browser::new(&server));
    let long = format!("{{\"userinfo\":{{\"{}\":null}}}}", "x".repeat(4_096));
    for claims in [
        "x",
        "[]",
        r#"{"userinfo":[]}"#,
        r#"{"userinfo":{"name":"Ada"}}"#,
        r#"{"id_token":{"name":{"essential":1}}}"#,
        r#"{"id_token":{"name":null,"name":null}}"#,
        // Case 73.
        r#"{"userinfo":{"name":{"value":"\u0000"}}}"#,
        r#"{"userinfo":{"name":{"value":"\ud800"}}}"#,
        &long,
    ] {
        let answer = open(&browser, &app, &[("claims", claims.to_owned())]).await;
        let error = answer.parameter("error");
        assert_eq!(error.as_deref(), Some("invalid_request"), "{claims:.60}: {:?}", answer.location());
    }
    // What stands for nothing is ignored, also where PostgreSQL keeps it.
    browser.sign_in("ada").await;
    let odd =
        r#"{"userinfo":{"name":{"value":{"a":[1e300,-0.0,"\ufffe",{}]}},"email":{"values":[[]],"x":1}}}"#;
    let more = [("scope", "openid".to_owned()), ("claims", odd.to_owned())];
    let page = open(&browser, &app, &more).await;
    assert!(browser.submit(&page, &[("decision", "allow")]).await.parameter("code").is_some());
    // Without openid there is nothing that a claim could be told by.
    let more = [("scope", "profile".to_owned()), ("claims", r#"{"userinfo":{"email":null}}"#.to_owned())];
    assert_eq!(listed(&open(&browser, &app, &more).await), ["profile"]);
}
