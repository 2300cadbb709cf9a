//! How many statements a request costs. A proxy before PostgreSQL reads them off the wire, so that a `BEGIN` or
//! a statement inside the driver counts as any other; the heartbeat, which comes without any request, does not.

use std::time::Duration;

use crate::harness::{
    Answer, AssertingClient, Browser, ClientKey, CountingProxy, RelyingParty, Server, Settings, pkce,
};

struct Counted {
    server: Server,
    proxy: CountingProxy,
    browser: Browser,
    app: RelyingParty,
}

impl Counted {
    async fn start() -> Self {
        let database = std::sync::Arc::new(crate::harness::TestDatabase::new().await);
        let proxy = CountingProxy::before(&database).await;
        // One worker has one pool, in which statements stay prepared.
        let settings =
            Settings::default().with("DATABASE_URL", &proxy.url()).with("GRANTOR_SERVER_WORKERS", "1");
        let server = Server::start_on(database, settings).await;
        server.user("alice", &[]);
        let grants = ["authorization_code", "refresh_token", "client_credentials"];
        let app = RelyingParty::register(&server, &grants.map(|grant| ["--grant", grant]).concat());
        // The registration changed the installation's version; every process must have seen that.
        server.change_arrives().await;
        let browser = Browser::new(&server);
        // Opens the worker's connection, which is set up with a statement; no client becomes known by it.
        assert_eq!(browser.get("/authorize?client_id=nobody").await.status, 400);
        Self { browser, server, proxy, app }
    }

    /// The statements of one request.
    async fn of(&self, request: impl Future<Output = Answer>) -> (Answer, Vec<String>) {
        self.proxy.statements.clear();
        let answer = request.await;
        (answer, self.proxy.statements.of_requests())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proxy_sees_statements_and_the_heartbeat() {
    let counted = Counted::start().await;
    counted.proxy.statements.clear();
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(counted.proxy.statements.has_heartbeat());
    // Nothing but the heartbeat runs by itself, so that what is counted is the request's.
    assert_eq!(counted.proxy.statements.of_requests(), Vec::<String>::new());

    let page = counted.browser.get("/sign-in").await;
    let fields = [("username", "alice"), ("password", "wrong")];
    let (_, statements) = counted.of(counted.browser.submit(&page, &fields)).await;
    assert!(statements.iter().any(|statement| statement.contains("FROM users")), "{statements:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_endpoint_keeps_within_its_budget() {
    let counted = Counted::start().await;
    let Counted { app, browser, .. } = &counted;
    app.sign_in(browser, "alice", &[]).await;

    let (code, verifier) = app.code(browser, "alice", &[]).await;
    let (answer, statements) = counted.of(app.redeem(&code, &verifier, &[])).await;
    let mut tokens = answer.tokens();
    assert_eq!(statements.len(), 2, "a look and a guarded write: {statements:#?}");

    // The first refresh prepares; what is prepared counts once like what is not.
    for _ in 0..3 {
        let (answer, statements) = counted.of(app.refresh(tokens.refresh_token(), &[])).await;
        assert_eq!(statements.len(), 2, "a look and a guarded write: {statements:#?}");
        let (replayed, statements) = counted.of(app.refresh(tokens.refresh_token(), &[])).await;
        assert_eq!(statements.len(), 1, "a replay within the window only looks: {statements:#?}");
        assert_eq!(replayed.tokens().refresh_token(), answer.tokens().refresh_token());
        tokens = answer.tokens();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_acting_for_itself_costs_nothing_once_it_is_known() {
    let counted = Counted::start().await;
    let form = [("grant_type", "client_credentials")];
    for most in [1, 0, 0] {
        let (answer, statements) = counted.of(counted.app.token(&form)).await;
        answer.tokens();
        assert!(statements.len() <= most, "{statements:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_costs_one_to_be_remembered() {
    let counted = Counted::start().await;
    let by_key = AssertingClient::register(&counted.server, ClientKey::p256(), &[]);
    let by_secret = AssertingClient::register_with_secret(&counted.server);
    counted.server.change_arrives().await;
    for app in [by_key, by_secret] {
        for most in [2, 1, 1] {
            let (answer, statements) = counted.of(app.token()).await;
            answer.tokens();
            assert!(statements.len() <= most, "{statements:#?}");
        }
        let forged = app.assertion().signed_by(&ClientKey::Secret("x".to_owned()));
        for audited in [1, 0, 0] {
            let (answer, statements) = counted.of(app.token_with(&forged)).await;
            answer.assert_refused(401, "invalid_client");
            assert_eq!(statements.len(), audited, "a forged one is not looked up: {statements:#?}");
            assert!(
                statements.iter().all(|one| one.starts_with("INSERT INTO audit_events")),
                "{statements:#?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_client_is_looked_up_once_at_most() {
    let counted = Counted::start().await;
    let app = RelyingParty::register(&counted.server, &["--grant", "client_credentials"]);
    counted.server.change_arrives().await;
    let form = [("grant_type", "client_credentials")];
    app.token(&form).await.tokens();
    let wrong = app.with_secret(Some("wrong"));
    let mut unknown = wrong.clone();
    unknown.client_id = "nobody".to_owned();
    for (client, looks) in [(wrong, 0), (unknown, 1)] {
        let (answer, statements) = counted.of(client.token(&form)).await;
        answer.assert_refused(401, "invalid_client");
        let looked = statements.iter().filter(|one| one.contains("FROM clients")).count();
        assert_eq!(looked, looks, "{statements:#?}");
        assert!(statements.len() <= looks + 1, "beside it the audit log's alone: {statements:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn narrowing_to_a_resource_costs_nothing() {
    let counted = Counted::start().await;
    let Counted { server, browser, .. } = &counted;
    server.cli(&["scope", "create", "notes", "--description", "Read notes"]);
    server.cli(&["resource-server", "create", "urn:notes", "--scope", "notes"]);
    let grants =
        ["authorization_code", "refresh_token", "client_credentials"].map(|grant| ["--grant", grant]);
    let more = ["--audience", "urn:notes", "--audience", "urn:mail", "--scope", "openid profile notes"];
    let app = RelyingParty::register(server, &[&grants.concat()[..], &more].concat());
    server.change_arrives().await;
    let mut tokens = app.sign_in(browser, "alice", &[("scope", "openid notes")]).await;
    for resource in ["urn:notes", "urn:mail"] {
        let form = [("grant_type", "client_credentials"), ("resource", resource)];
        let (answer, statements) = counted.of(app.token(&form)).await;
        assert_eq!((answer.tokens().scope(), statements), ("notes", Vec::<String>::new()));
        let named = [("resource", resource)];
        let (answer, statements) = counted.of(app.refresh(tokens.refresh_token(), &named)).await;
        tokens = answer.tokens();
        assert_eq!(statements.len(), 2, "{statements:#?}");
        let asked = [("token", tokens.access_token())];
        let (answer, statements) = counted.of(app.post("/introspect", &asked)).await;
        assert_eq!((answer.json()["aud"].as_str(), statements.len()), (Some(resource), 1), "{statements:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authorizing_with_consent_on_file_costs_two() {
    let counted = Counted::start().await;
    let Counted { app, browser, .. } = &counted;
    app.sign_in(browser, "alice", &[]).await;
    for _ in 0..3 {
        let (_, challenge) = pkce();
        let (answer, statements) = counted.of(browser.get(&app.authorize_path(&challenge, &[]))).await;
        assert!(answer.parameter("code").is_some(), "{:?}", answer.location());
        assert!(statements.len() <= 2, "{statements:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn introspection_costs_one_and_revocation_at_most_two() {
    let counted = Counted::start().await;
    let Counted { app, browser, .. } = &counted;
    let tokens = app.sign_in(browser, "alice", &[]).await;
    let own = app.token(&[("grant_type", "client_credentials")]).await.tokens();
    for token in [tokens.access_token(), tokens.refresh_token(), own.access_token()] {
        let (answer, statements) = counted.of(app.post("/introspect", &[("token", token)])).await;
        assert_eq!(answer.json()["active"], true);
        assert_eq!(statements.len(), 1, "{statements:#?}");
        let signed = "application/token-introspection+jwt";
        let request = browser.request(reqwest::Method::POST, "/introspect").header("accept", signed);
        let request = request.basic_auth(&app.client_id, app.client_secret.as_ref());
        let request = request.form(&[("token", token)]).send();
        let (answer, statements) = counted.of(async { Answer::read(request.await.unwrap()).await }).await;
        assert_eq!(answer.header("content-type"), Some(signed));
        assert_eq!(statements.len(), 1, "{statements:#?}");
    }
    // Junk and what was tampered with are refused without a query.
    let tampered = format!("{}x", tokens.access_token());
    for junk in ["", "x", "grr_x", &tampered, &tokens.refresh_token()[..60]] {
        let (answer, statements) = counted.of(app.post("/introspect", &[("token", junk)])).await;
        assert_eq!(answer.json()["active"], false);
        assert_eq!(statements, Vec::<String>::new());
        let (_, statements) = counted.of(app.refresh(if junk.is_empty() { "x" } else { junk }, &[])).await;
        assert_eq!(statements, Vec::<String>::new());
    }
    for token in [tokens.access_token(), tokens.refresh_token()] {
        let (_, statements) = counted.of(app.revoke(token)).await;
        assert!(statements.len() <= 2, "{statements:#?}");
    }
}

/// While the database keeps a statement waiting, many more requests come; they have one statement together, and each its
/// own answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looks_that_wait_together_are_one_statement() {
    let counted = Counted::start().await;
    let Counted { app, server, .. } = &counted;
    let mut tokens = Vec::new();
    for name in ["bob", "carol", "dave"] {
        server.user(name, &[]);
        tokens.push(app.sign_in(&Browser::new(server), name, &[("scope", "openid")]).await);
    }
    app.revoke(tokens[1].refresh_token()).await;
    let mut gate = server.database.sql().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE revoked_access_tokens").execute(&mut gate).await.unwrap();
    counted.proxy.statements.clear();
    let asked = (0..40).map(|turn| app.introspect(tokens[turn % 3].access_token()));
    let opened = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        sqlx::raw_sql("COMMIT").execute(&mut gate).await.unwrap();
    };
    let (answers, ()) = tokio::join!(futures_util::future::join_all(asked), opened);
    let looks = counted.proxy.statements.of_requests();
    assert!(looks.len() <= 4, "the first, one when that was late, and the others together: {}", looks.len());
    for (turn, answer) in answers.iter().enumerate() {
        assert_eq!(answer["active"], turn % 3 != 1, "{answer}");
        if turn % 3 != 1 {
            assert_eq!(answer["sub"], tokens[turn % 3].claims()["sub"], "{answer}");
        }
    }
}

/// A statement that hangs keeps nobody else waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_that_comes_while_another_hangs_gets_a_statement_of_its_own() {
    let counted = Counted::start().await;
    let Counted { app, server, browser, .. } = &counted;
    let tokens = app.sign_in(browser, "alice", &[("scope", "openid")]).await;
    let mut gate = server.database.sql().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE revoked_access_tokens").execute(&mut gate).await.unwrap();
    let first = app.introspect(tokens.access_token());
    let second = async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        app.introspect(tokens.access_token()).await
    };
    let opened = async {
        server.database.until_waiting(2).await;
        sqlx::raw_sql("COMMIT").execute(&mut gate).await.unwrap();
    };
    let (first, second, ()) = tokio::join!(first, second, opened);
    assert_eq!((&first["active"], &second["active"]), (&true.into(), &true.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_request_asks_its_answer_costs_a_look_and_a_write() {
    let counted = Counted::start().await;
    let Counted { server, browser, app, .. } = &counted;
    let own = RelyingParty::register(server, &["--skip-consent"]);
    let tokens = app.sign_in(browser, "alice", &[]).await;
    server.change_arrives().await;
    let hint = tokens.0["id_token"].as_str().unwrap();
    let (form_post, silent) = (("response_mode", "form_post"), ("prompt", "none"));
    for (client, more, most) in [
        (app, &[silent][..], 3),
        (app, &[silent, ("id_token_hint", hint)], 2),
        (app, &[form_post, ("max_age", "3600"), ("display", "popup")], 2),
        (app, &[silent, ("max_age", "0")], 1),
        (&own, &[silent], 3),
        (&own, &[silent, ("scope", "openid email")], 2),
        (&own, &[form_post], 2),
        (app, &[("prompt", "select_account")], 1),
    ] {
        let path = client.authorize_path(&pkce().1, more);
        let (answer, statements) = counted.of(browser.get(&path)).await;
        assert!(answer.status == 303 || answer.has_id("form-post"), "{more:?}: {}", answer.body);
        // The first request of a client looks it up.
        assert!(statements.len() <= most, "{more:?}: {statements:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_the_own_account_costs_two() {
    let counted = Counted::start().await;
    let Counted { app, browser, .. } = &counted;
    app.sign_in(browser, "alice", &[]).await;
    let withdraw = format!("/account/apps/withdraw?client_id={}", app.client_id);
    for path in ["/account", "/account/sessions", "/account/apps", &withdraw] {
        let (answer, statements) = counted.of(browser.get(path)).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(statements.len() <= 2, "{path}: {statements:#?}");
        let (_, statements) = counted.of(Browser::new(&counted.server).get(path)).await;
        assert_eq!(statements, Vec::<String>::new(), "{path}: nobody is signed in");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn userinfo_costs_one_and_claims_by_name_cost_nothing() {
    let counted = Counted::start().await;
    let Counted { app, browser, .. } = &counted;
    let claims = r#"{"userinfo":{"email":null},"id_token":{"name":null,"email":null}}"#;
    let (code, verifier) = app.code(browser, "alice", &[("claims", claims)]).await;
    let (answer, statements) = counted.of(app.redeem(&code, &verifier, &[])).await;
    assert_eq!(statements.len(), 2, "a look and a guarded write: {statements:#?}");
    let tokens = answer.tokens();
    assert_eq!(
        crate::harness::claims_of(tokens.0["id_token"].as_str().unwrap())["email"],
        "alice@example.com"
    );
    let (_, challenge) = pkce();
    let again = app.authorize_path(&challenge, &[("claims", claims)]);
    let (answer, statements) = counted.of(browser.get(&again)).await;
    assert!(answer.parameter("code").is_some() && statements.len() <= 2, "{statements:#?}");

    let ask = async |token: &str| {
        let request = browser.request(reqwest::Method::GET, "/userinfo").bearer_auth(token);
        counted.of(async { Answer::read(request.send().await.unwrap()).await }).await
    };
    for _ in 0..3 {
        let (answer, statements) = ask(tokens.access_token()).await;
        assert_eq!(answer.json()["email"], "alice@example.com");
        assert_eq!(statements.len(), 1, "{statements:#?}");
    }
    // What is none of ours, and what cannot be good here, is refused without a query.
    let own = app.token(&[("grant_type", "client_credentials")]).await.tokens();
    for (junk, status) in
        [("x", 401), (&format!("{}x", tokens.access_token()), 401), (own.access_token(), 403)]
    {
        let (answer, statements) = ask(junk).await;
        assert_eq!((answer.status.as_u16(), statements), (status, Vec::<String>::new()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_and_health_cost_nothing() {
    let counted = Counted::start().await;
    let paths = [
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
        "/health/live",
        "/health/ready",
    ];
    for path in paths {
        let (answer, statements) = counted.of(counted.browser.get(path)).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(statements, Vec::<String>::new(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_signed_in_writes_nothing_by_looking() {
    let counted = Counted::start().await;
    let (_, challenge) = pkce();
    let path = counted.app.authorize_path(&challenge, &[]);
    for round in 0..3 {
        let stranger = Browser::new(&counted.server);
        let (answer, statements) = counted.of(stranger.get(&path)).await;
        assert!(answer.location().unwrap().starts_with("/sign-in"), "{:?}", answer.location());
        assert_reads(&statements, usize::from(round == 0));
        let (answer, statements) = counted.of(stranger.get(&answer.location().unwrap())).await;
        assert!(answer.has_id("login-submit"));
        assert_reads(&statements, 0);
        let (_, statements) = counted.of(stranger.get("/sign-in")).await;
        assert_reads(&statements, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_session_costs_the_same_whatever_hangs_on_it() {
    let counted = Counted::start().await;
    let Counted { app, browser, server, .. } = &counted;
    let leads_back = ["--post-logout-redirect-uri", "https://app.example/bye"];
    let other = RelyingParty::register(server, &leads_back);
    server.change_arrives().await;
    for grants in 1..3 {
        let mut hint = String::new();
        for _ in 0..grants {
            app.sign_in(browser, "alice", &[]).await;
            hint = other.sign_in(browser, "alice", &[]).await.0["id_token"].as_str().unwrap().to_owned();
        }
        let path = format!("/logout?id_token_hint={hint}&post_logout_redirect_uri=https://app.example/bye");
        let (answer, statements) = counted.of(browser.get(&path)).await;
        assert_eq!(answer.location().as_deref(), Some("https://app.example/bye"));
        // A look, and a transaction of two: the end, and what hangs on it.
        assert_eq!(statements.len(), 5, "{statements:#?}");
        assert_eq!([&statements[1][..], &statements[4]], ["BEGIN", "COMMIT"]);
    }
    let (answer, statements) = counted.of(browser.get("/logout")).await;
    assert!(answer.has_id("logout-done"));
    assert_eq!(statements, Vec::<String>::new(), "nobody is signed in");
}

fn assert_reads(statements: &[String], most: usize) {
    assert!(statements.len() <= most, "{statements:#?}");
    assert!(statements.iter().all(|statement| statement.starts_with("SELECT")), "{statements:#?}");
}
