//! A client reads, changes and deletes its registration (RFC 7592). Case 78.

use reqwest::Method;
use serde_json::{Value, json};

use super::{assert_error, open, own_path, registered, send, text, web_app_with};
use crate::harness::{Browser, RelyingParty, Server, pkce};

/// A client, with what speaks to its own endpoint.
struct Managed {
    told: Value,
    path: String,
    browser: Browser,
}

impl Managed {
    async fn register(server: &Server, more: &Value) -> Self {
        let told = registered(server, &web_app_with(more)).await;
        Self { path: own_path(server, &told), told, browser: Browser::new(server) }
    }

    fn token(&self) -> &str {
        text(&self.told, "registration_access_token")
    }

    fn id(&self) -> &str {
        text(&self.told, "client_id")
    }

    async fn send(&self, method: Method, token: &str, body: Option<&Value>) -> crate::harness::Answer {
        send(&self.browser, method, &self.path, Some(token), body).await
    }

    /// What a change is about, beside the members that every change needs.
    fn change(&self, more: &Value) -> Value {
        let mut body = web_app_with(more);
        body["client_id"] = json!(self.id());
        body
    }
}

#[tokio::test]
async fn a_client_reads_what_is_registered_and_no_secret() {
    let server = Server::start_with(open()).await;
    let app = Managed::register(&server, &json!({})).await;
    for _ in 0..2 {
        let answer = app.send(Method::GET, app.token(), None).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let mut expected = app.told.clone();
        expected.as_object_mut().unwrap().remove("client_secret");
        assert_eq!(answer.json(), expected);
    }
}

#[tokio::test]
async fn a_change_replaces_all_and_what_is_missing_takes_its_default() {
    let server = Server::start_with(open()).await;
    server.user("alice", &[]);
    let first = json!({ "contacts": ["ops@app.example"], "scope": "openid", "default_max_age": 60 });
    let app = Managed::register(&server, &first).await;
    let id = app.id();
    server.cli(&["client", "update", id, "--audience", "https://api.example"]);
    let body = app.change(&json!({
        "client_name": "New name", "redirect_uris": ["https://app.example/new"], "client_secret": "chosen",
    }));
    let answer = app.send(Method::PUT, app.token(), Some(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let told = answer.json();
    assert_eq!(
        [&told["client_name"], &told["redirect_uris"]],
        [&json!("New name"), &json!(["https://app.example/new"])]
    );
    assert_eq!(told["scope"], "openid profile email phone address offline_access");
    for name in ["contacts", "default_max_age", "client_secret"] {
        assert_eq!(told.get(name), None, "{name}");
    }
    let shown = server.cli(&["client", "show", id]);
    assert_eq!(shown["audiences"], json!(["https://api.example"]), "what an operator gave stays");
    assert_eq!(shown["self_registered"], true);
    // The secret is still the one that was given.
    server.change_arrives().await;
    let mut after = told.clone();
    after["client_secret"] = app.told["client_secret"].clone();
    let app = RelyingParty::registered(&server, &after);
    app.sign_in(&Browser::new(&server), "alice", &[("resource", "https://api.example")]).await;
}

#[tokio::test]
async fn the_token_is_replaced_and_the_one_before_is_good_until_the_new_one_is_used() {
    let server = Server::start_with(open()).await;
    let app = Managed::register(&server, &json!({})).await;
    let body = app.change(&json!({}));
    let change = async |token: &str| {
        let answer = app.send(Method::PUT, token, Some(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        text(&answer.json(), "registration_access_token").to_owned()
    };
    let works = async |token: &str| app.send(Method::GET, token, None).await.status == 200;
    let first = app.token().to_owned();
    let lost = change(&first).await;
    assert!(works(&first).await, "the answer may have been lost");
    let second = change(&first).await;
    assert!(!works(&lost).await, "nobody has it");
    assert!(works(&first).await);
    assert!(works(&second).await);
    assert!(!works(&first).await, "the new one has arrived");
    let third = change(&second).await;
    assert!(works(&third).await && !works(&second).await && !works(&first).await);
}

#[tokio::test]
async fn changes_at_once_leave_the_client_with_a_token_that_works() {
    let server = Server::start_with(open()).await;
    let app = Managed::register(&server, &json!({})).await;
    let body = app.change(&json!({}));
    let answers = (0..10).map(|_| app.send(Method::PUT, app.token(), Some(&body)));
    let answers = futures_util::future::join_all(answers).await;
    let mut good = 0;
    for answer in answers {
        assert!([200, 401, 503].contains(&answer.status.as_u16()), "{} {}", answer.status, answer.body);
        if answer.status == 200 {
            let token = text(&answer.json(), "registration_access_token").to_owned();
            good += usize::from(app.send(Method::GET, &token, None).await.status == 200);
        }
    }
    assert_eq!(good, 1, "the newest");
}

#[tokio::test]
async fn a_change_obeys_the_rules_of_registering_and_a_refused_one_changes_nothing() {
    let server = Server::start_with(open()).await;
    let app = Managed::register(&server, &json!({})).await;
    for (more, error) in [
        (json!({ "redirect_uris": ["javascript:alert(1)"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": [] }), "invalid_redirect_uri"),
        (json!({ "scope": "roles" }), "invalid_client_metadata"),
        (json!({ "token_endpoint_auth_method": "none" }), "invalid_client_metadata"),
        (json!({ "token_endpoint_auth_method": "client_secret_jwt" }), "invalid_client_metadata"),
        (json!({ "logo_uri": "https://127.0.0.1/logo" }), "invalid_client_metadata"),
        (json!({ "software_statement": "e30.e30." }), "unapproved_software_statement"),
    ] {
        let answer = app.send(Method::PUT, app.token(), Some(&app.change(&more))).await;
        assert_error(&answer, 400, error);
    }
    for id in [json!(null), json!("another")] {
        let mut body = app.change(&json!({}));
        body["client_id"] = id;
        let answer = app.send(Method::PUT, app.token(), Some(&body)).await;
        assert_error(&answer, 400, "invalid_client_metadata");
    }
    let mut expected = app.told.clone();
    expected.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(app.send(Method::GET, app.token(), None).await.json(), expected);
}

#[tokio::test]
async fn with_a_new_address_people_are_asked_again_and_keep_their_grants() {
    let server = Server::start_with(open()).await;
    server.user("alice", &[]);
    let grants = json!({ "grant_types": ["authorization_code", "refresh_token"] });
    let mut managed = Managed::register(&server, &grants).await;
    let app = RelyingParty::registered(&server, &managed.told);
    let browser = Browser::new(&server);
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    let asks = async || {
        let page = browser.get(&app.authorize_path(&pkce().1, &[])).await;
        browser.follow(page).await.has_id("consent-allow")
    };
    assert!(!asks().await, "agreed to before");
    for (uris, asked) in [
        (json!(["https://app.example/callback"]), false),
        (json!(["https://app.example/callback", "https://evil.example/callback"]), true),
    ] {
        let mut body = managed.change(&grants);
        body["redirect_uris"] = uris;
        let answer = managed.send(Method::PUT, managed.token(), Some(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        managed.told = answer.json();
        server.change_arrives().await;
        assert_eq!(asks().await, asked);
    }
    app.refresh(tokens.refresh_token(), &[]).await.tokens();
}

#[tokio::test]
async fn a_deleted_client_is_gone_with_its_grants() {
    let server = Server::start_with(open()).await;
    server.user("alice", &[]);
    let more = json!({ "grant_types": ["authorization_code", "refresh_token"] });
    let managed = Managed::register(&server, &more).await;
    let app = RelyingParty::registered(&server, &managed.told);
    let tokens = app.sign_in(&Browser::new(&server), "alice", &[]).await;
    let answer = managed.send(Method::DELETE, managed.token(), None).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
    for method in [Method::GET, Method::DELETE] {
        assert_error(&managed.send(method, managed.token(), None).await, 401, "invalid_token");
    }
    server.change_arrives().await;
    assert_eq!(app.refresh(tokens.refresh_token(), &[]).await.status, 401);
}

#[tokio::test]
async fn a_token_that_ends_while_its_request_waits_changes_and_deletes_nothing() {
    let server = Server::start_with(open()).await;
    for method in [Method::PUT, Method::DELETE] {
        let app = Managed::register(&server, &json!({})).await;
        let body = (method == Method::PUT).then(|| app.change(&json!({ "client_name": "New name" })));
        // What the use of a newer token does, up to the moment before it is written.
        let mut newer = server.database.sql().await;
        let statement = format!(
            "BEGIN; UPDATE clients SET registration_token_hash = sha256(registration_token_hash)
             WHERE client_id = '{}'",
            app.id(),
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut newer).await.unwrap();
        let asks = app.send(method, app.token(), body.as_ref());
        let commits = async {
            server.database.until_waiting(1).await;
            sqlx::raw_sql("COMMIT").execute(&mut newer).await.unwrap();
        };
        let (answer, ()) = futures_util::join!(asks, commits);
        assert_error(&answer, 401, "invalid_token");
        assert_eq!(server.cli(&["client", "show", app.id()])["client_name"], app.told["client_name"]);
    }
}

#[tokio::test]
async fn no_other_token_opens_a_registration_or_tells_whether_there_is_one() {
    let server = Server::start_with(open()).await;
    let (one, other) =
        (Managed::register(&server, &json!({})).await, Managed::register(&server, &json!({})).await);
    let by_hand = RelyingParty::register(&server, &[]);
    let initial = server.cli(&["initial-access-token", "create", "--name", "Test"]);
    let wrong = [
        text(&other.told, "registration_access_token"),
        text(&one.told, "client_secret"),
        text(&initial, "initial_access_token"),
        "grg_junk",
        "x",
    ];
    let mut answers = Vec::new();
    for path in [&one.path, &format!("/register/{}", by_hand.client_id), "/register/nobody", "/register/%00"]
    {
        for token in wrong {
            if path.ends_with(other.id()) {
                continue;
            }
            for (method, body) in
                [(Method::GET, None), (Method::PUT, Some(one.change(&json!({})))), (Method::DELETE, None)]
            {
                let answer = send(&one.browser, method, path, Some(token), body.as_ref()).await;
                assert_error(&answer, 401, "invalid_token");
                answers.push(answer.body);
            }
        }
        assert_error(&send(&one.browser, Method::GET, path, None, None).await, 401, "invalid_token");
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "one answer to all: {answers:?}");
    assert_eq!(one.send(Method::GET, one.token(), None).await.status, 200);
}

#[tokio::test]
async fn an_operator_takes_a_client_into_the_own_hands_or_switches_it_off() {
    let server = Server::start_with(open()).await;
    let (vouched, disabled) =
        (Managed::register(&server, &json!({})).await, Managed::register(&server, &json!({})).await);
    let shown = server.cli(&["client", "update", vouched.id(), "--vouch"]);
    assert_eq!(shown["self_registered"], false);
    server.cli(&["client", "update", disabled.id(), "--disable"]);
    for client in [&vouched, &disabled] {
        assert_error(&client.send(Method::GET, client.token(), None).await, 401, "invalid_token");
        let body = client.change(&json!({}));
        assert_error(&client.send(Method::PUT, client.token(), Some(&body)).await, 401, "invalid_token");
    }
    server.cli(&["client", "update", disabled.id(), "--enable"]);
    assert_eq!(disabled.send(Method::GET, disabled.token(), None).await.status, 200);
}

#[tokio::test]
async fn neither_tokens_nor_secrets_are_stored_or_logged() {
    let server = Server::start_with(open()).await;
    let app = Managed::register(&server, &json!({})).await;
    app.send(Method::GET, app.token(), None).await;
    let initial = server.cli(&["initial-access-token", "create", "--name", "Test"]);
    let log = server.log();
    let rows: String = sqlx::query_scalar(
        "SELECT (SELECT string_agg(to_jsonb(c)::text, '') FROM clients c)
             || (SELECT string_agg(to_jsonb(t)::text, '') FROM initial_access_tokens t)
             || (SELECT string_agg(to_jsonb(a)::text, '') FROM audit_events a)",
    )
    .fetch_one(&mut server.database.sql().await)
    .await
    .unwrap();
    for secret in [app.token(), text(&app.told, "client_secret"), text(&initial, "initial_access_token")] {
        assert!(!log.contains(secret) && !rows.contains(secret));
    }
}
