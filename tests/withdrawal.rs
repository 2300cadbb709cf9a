//! What an operator or a person takes back is gone, also where it races with its use.

use futures_util::future::join_all;
use serde_json::json;
use sqlx::Connection;

use crate::harness::{Answer, Browser, RelyingParty, Server, Settings, Tokens, password_of, pkce};

#[tokio::test]
async fn a_scope_made_anew_is_not_granted_by_what_was_meant_for_the_old_one() {
    let server = Server::start().await;
    server.user("alice", &[]);
    server.cli(&["scope", "create", "pay", "--description", "See your bills"]);
    let scope = "openid pay offline_access";
    let app = RelyingParty::register(&server, &["--scope", scope]);
    let browser = Browser::new(&server);
    let tokens = app.sign_in(&browser, "alice", &[("scope", scope)]).await;

    server.cli(&["scope", "delete", "pay"]);
    server.cli(&["scope", "create", "pay", "--description", "Pay your bills"]);
    server.cli(&["client", "update", &app.client_id, "--scope", scope]);
    server.change_arrives().await;

    assert_eq!(app.introspect(tokens.access_token()).await, json!({"active": false}));
    assert_eq!(app.refresh(tokens.refresh_token(), &[]).await.json()["error"], "invalid_grant");
    let asked = browser.follow(browser.get(&app.authorize_path(&pkce().1, &[("scope", scope)])).await).await;
    assert!(asked.has_id("consent-allow"), "consent is asked again: {:?}", asked.location());
}

#[tokio::test]
async fn a_grant_may_live_longer_than_any_before_at_once() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &["--refresh-absolute-lifetime", "399d"]);
    let tokens = app.sign_in(&Browser::new(&server), "alice", &[]).await;
    assert_eq!(app.refresh(tokens.refresh_token(), &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_grant_survives_a_change_of_password_that_it_raced_with() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let scope = [("scope", "openid offline_access")];
    let app = RelyingParty::register(&server, &[]);
    for round in 0..4 {
        let thief = Browser::new(&server);
        app.sign_in(&thief, "alice", &scope).await;
        let (verifier, challenge) = pkce();
        let path = app.authorize_path(&challenge, &scope);
        let approvals = async {
            let mut codes = Vec::new();
            for _ in 0..40 {
                let answers = join_all((0..4).map(|_| thief.get(&path))).await;
                codes.extend(answers.iter().filter_map(|answer| answer.parameter("code")));
            }
            codes
        };
        let change = async {
            tokio::task::block_in_place(|| {
                let arguments = ["user", "set-password", "alice", "--password-stdin"];
                server.cli_output(&arguments, &format!("{}\n", password_of("alice")))
            })
        };
        let (codes, change) = tokio::join!(approvals, change);
        assert!(change.status.success(), "{}", String::from_utf8_lossy(&change.stderr));
        for code in codes {
            let answer = app.redeem(&code, &verifier, &[]).await;
            assert_eq!(answer.json()["error"], "invalid_grant", "round {round}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_clients_own_token_says_what_the_client_may_have_today() {
    let server = Server::start().await;
    server.cli(&["scope", "create", "orders.read", "--description", "Read orders"]);
    server.cli(&["scope", "create", "orders.write", "--description", "Write orders"]);
    let machine = RelyingParty::register(
        &server,
        &[
            "--grant",
            "client_credentials",
            "--scope",
            "orders.read orders.write",
            "--redirect-uri",
            "https://x.example/",
        ],
    );
    let token = Tokens(machine.token(&[("grant_type", "client_credentials")]).await.json());
    assert_eq!(machine.introspect(token.access_token()).await["scope"], "orders.read orders.write");
    server.cli(&["client", "update", &machine.client_id, "--scope", "orders.read"]);
    assert_eq!(machine.introspect(token.access_token()).await["scope"], "orders.read");
    let uri = ["--redirect-uri", "https://x.example/"];
    server.cli(&["client", "update", &machine.client_id, "--grant", "authorization_code", uri[0], uri[1]]);
    assert_eq!(machine.introspect(token.access_token()).await, json!({"active": false}));
}

#[tokio::test]
async fn many_people_behind_one_address_sign_in_at_once() {
    let server = Server::start_with(Settings::default().with("GRANTOR_PASSWORDS_THREADS", "2")).await;
    let names: Vec<String> = (0..20).map(|number| format!("person{number}")).collect();
    for name in &names {
        server.user(name, &[]);
    }
    let signed_in = join_all(names.iter().map(|name| {
        let browser = Browser::new(&server);
        async move {
            let page = browser.get("/sign-in").await;
            browser.submit(&page, &[("username", name), ("password", &password_of(name))]).await
        }
    }));
    let statuses: Vec<u16> = signed_in.await.iter().map(|answer: &Answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, vec![303; names.len()]);
}

#[tokio::test]
async fn of_two_changes_of_a_client_none_is_lost() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    for round in 0..4 {
        let audience = format!("https://api{round}.example");
        std::thread::scope(|scope| {
            scope.spawn(|| server.cli(&["client", "update", &app.client_id, "--disable"]));
            scope.spawn(|| server.cli(&["client", "update", &app.client_id, "--audience", &audience]));
        });
        let client = server.cli(&["client", "show", &app.client_id]);
        assert_eq!(client["audiences"], json!([audience]), "round {round}");
        assert!(!client["disabled_at"].is_null(), "round {round}: {client}");
        server.cli(&["client", "update", &app.client_id, "--enable"]);
    }
}

#[tokio::test]
async fn a_refresh_token_says_when_it_ends_with_the_session() {
    let server = Server::start_with(Settings::default().with("GRANTOR_SESSIONS_IDLE_LIFETIME", "1h")).await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let tokens = app.sign_in(&Browser::new(&server), "alice", &[]).await;
    let expires_in = tokens.0["refresh_token_expires_in"].as_u64().unwrap();
    assert!((3_500..=3_600).contains(&expires_in), "{expires_in}");
}

#[tokio::test]
async fn an_approval_that_a_consents_end_waited_for_ends_with_it() {
    let patient = Settings::default()
        .with("GRANTOR_DATABASE_ACQUIRE_TIMEOUT", "30s")
        .with("GRANTOR_DATABASE_STATEMENT_TIMEOUT", "30s")
        .with("GRANTOR_SERVER_REQUEST_TIMEOUT", "30s");
    let server = Server::start_with(patient).await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let more = [("scope", "openid offline_access"), ("prompt", "consent")];
    app.sign_in(&browser, "alice", &more).await;
    let (verifier, challenge) = pkce();
    let consent = browser.follow(browser.get(&app.authorize_path(&challenge, &more)).await).await;
    let question = browser.get(&format!("/account/apps/withdraw?client_id={}", app.client_id)).await;

    // Both wait for the consent's row, first the approval and then the end.
    let mut sql = server.database.sql().await;
    let mut holding = sql.begin().await.unwrap();
    sqlx::query("SELECT FROM consents FOR UPDATE").execute(&mut *holding).await.unwrap();
    let approval = async { browser.submit(&consent, &[("decision", "allow")]).await };
    let end = async {
        server.database.until_waiting(1).await;
        browser.submit(&question, &[]).await
    };
    let release = async {
        server.database.until_waiting(2).await;
        holding.rollback().await.unwrap();
    };
    let (approved, ended, ()) = tokio::join!(approval, end, release);
    let code = approved.parameter("code").unwrap();
    assert_eq!(ended.status, 200);

    // Agreeing again revives it by no clock.
    app.sign_in(&browser, "alice", &more).await;
    server.database.execute("UPDATE consents SET created_at = created_at - interval '1 h'").await;
    app.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn without_its_consent_a_grant_is_dead_whoever_deleted_that() {
    let server = Server::start().await;
    let scope = [("scope", "openid offline_access")];
    let (app, other) = (RelyingParty::register(&server, &[]), RelyingParty::register(&server, &[]));
    let mut tokens = Vec::new();
    for name in ["alice", "bob"] {
        server.user(name, &[]);
        let browser = Browser::new(&server);
        for app in [&app, &other] {
            tokens.push(app.sign_in(&browser, name, &scope).await);
        }
    }
    // Not as Grantor does it, which revokes the grants as well.
    let delete = format!(
        "DELETE FROM consents USING users
         WHERE users.id = consents.user_id AND users.username = 'alice' AND consents.client_id = '{}'",
        app.client_id
    );
    server.database.execute(&delete).await;
    for (token, (asking, is_alive)) in
        tokens.iter().zip([(&app, false), (&other, true), (&app, true), (&other, true)])
    {
        assert_eq!(asking.introspect(token.access_token()).await["active"], is_alive);
        let refreshed = asking.refresh(token.refresh_token(), &[]).await;
        assert_eq!(refreshed.status == 200, is_alive, "{}", refreshed.body);
    }
    // Only of her consents are looked for from now on.
    let mut sql = server.database.sql().await;
    let withdrawn = "SELECT array_agg(username::text) FROM users WHERE has_withdrawn";
    let withdrawn: Vec<String> = sqlx::query_scalar(withdrawn).fetch_one(&mut sql).await.unwrap();
    assert_eq!(withdrawn, ["alice"]);

    server.database.execute("TRUNCATE consents").await;
    assert_eq!(other.introspect(tokens[3].access_token()).await["active"], false);
}

#[tokio::test]
async fn deleted_clients_and_people_leave_nobodys_consents_to_be_looked_for() {
    let server = Server::start().await;
    let app = RelyingParty::register(&server, &[]);
    for name in ["alice", "bob"] {
        server.user(name, &[]);
        app.sign_in(&Browser::new(&server), name, &[]).await;
    }
    server.cli(&["user", "delete", "bob"]);
    server.cli(&["client", "delete", &app.client_id]);
    let mut sql = server.database.sql().await;
    let withdrawn = "SELECT count(*) FROM users WHERE has_withdrawn";
    assert_eq!(sqlx::query_scalar::<_, i64>(withdrawn).fetch_one(&mut sql).await.unwrap(), 0);
}
