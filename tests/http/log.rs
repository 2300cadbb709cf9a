//! What the log, at its most talkative, and the audit log never hold. Case 83.

use crate::harness::{Browser, RelyingParty, Server, Settings, Tokens, Wire, password_of, pkce, query_of};

/// Secrets as they were used, by their names.
#[derive(Default)]
struct Used(Vec<(&'static str, String)>);

impl Used {
    fn add(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.push((name, value.into()));
    }

    fn add_cookies(&mut self, answer: &crate::harness::Answer) {
        for cookie in answer.cookies() {
            let value = cookie.split(';').next().unwrap().split_once('=').unwrap().1;
            self.add("cookie", value);
        }
    }
}

async fn everything(server: &Server) -> Used {
    let mut used = Used::default();
    server.user("alice", &[]);
    let app = RelyingParty::register(server, &[]);
    let browser = Browser::new(server);
    let secret = app.client_secret.clone().unwrap();
    used.add("client secret", secret.clone());

    let (verifier, challenge) = pkce();
    let state = "st4te-of-the-browser";
    let asked =
        browser.get(&app.authorize_path(&challenge, &[("state", state), ("nonce", "n0nce-n0nce")])).await;
    used.add("state", state);
    used.add("nonce", "n0nce-n0nce");
    let sealed = query_of(&asked.location().unwrap())["request"].clone();
    used.add("sealed request", sealed);
    let sign_in = browser.get(&asked.location().unwrap()).await;
    used.add_cookies(&sign_in);
    used.add("csrf", sign_in.form().1["csrf"].clone());
    used.add("mistyped password", "mistyped horse");
    browser.submit(&sign_in, &[("username", "alice"), ("password", "mistyped horse")]).await;
    used.add("password", password_of("alice"));
    browser.submit(&sign_in, &[("username", &password_of("alice")), ("password", "mistyped horse")]).await;
    let fields = [("username", "alice"), ("password", &password_of("alice"))];
    let signed_in = browser.submit(&sign_in, &fields).await;
    used.add_cookies(&signed_in);
    let consent = browser.follow(signed_in).await;
    used.add("csrf", consent.form().1["csrf"].clone());
    let code = browser.submit(&consent, &[("decision", "allow")]).await.parameter("code").unwrap();
    used.add("code", code.clone());
    used.add("verifier", verifier.clone());

    // Mistakes first: errors are where secrets slip out.
    app.redeem(&code, &pkce().0, &[]).await;
    app.token(&[("grant_type", "authorization_code"), ("code", &code), ("code", &code)]).await;
    let mut wrong = app.clone();
    wrong.client_secret = Some(format!("{secret}x"));
    wrong.redeem(&code, &verifier, &[]).await;
    browser.get(&format!("/token?client_secret={secret}&code={code}")).await;
    let tokens = Tokens(app.redeem(&code, &verifier, &[]).await.json());
    for name in ["access_token", "refresh_token", "id_token"] {
        used.add("token", tokens.0[name].as_str().unwrap());
    }
    app.introspect(tokens.access_token()).await;
    app.introspect(&format!("{}x", tokens.access_token())).await;
    let refreshed = app.refresh(tokens.refresh_token(), &[]).await.json();
    used.add("refreshed token", refreshed["refresh_token"].as_str().unwrap());
    used.add("refreshed token", refreshed["access_token"].as_str().unwrap());
    app.refresh(&format!("{}x", tokens.refresh_token()), &[]).await;
    app.revoke(refreshed["refresh_token"].as_str().unwrap()).await;
    app.redeem(&code, &verifier, &[]).await;

    let link = server.cli(&["user", "set-password", "alice", "--link"])["link"].as_str().unwrap().to_owned();
    used.add("set-password token", query_of(&link)["token"].clone());
    let page = browser.get(&link).await;
    used.add("csrf", page.form().1["csrf"].clone());
    used.add("new password", "a fresh battery staple");
    used.add("mistyped new password", "another battery staple");
    for again in ["another battery staple", "a fresh battery staple"] {
        let fields = [("new_password", "a fresh battery staple"), ("new_password_again", again)];
        browser.submit(&page, &fields).await;
    }
    browser.get(&link).await;
    used
}

/// All that stands in the table, one event a line.
async fn audit_log(server: &Server) -> String {
    let rows: Vec<String> = sqlx::query_scalar("SELECT audit_events::text FROM audit_events ORDER BY id")
        .fetch_all(&mut server.database.sql().await)
        .await
        .unwrap();
    rows.join("\n")
}

#[tokio::test]
async fn no_secret_that_was_used_is_in_it_whatever_its_format_and_level() {
    for (format, filter) in [("text", "debug"), ("json", "info"), ("text", "info,grantor=trace")] {
        let settings =
            Settings::default().with("GRANTOR_LOG_FORMAT", format).with("GRANTOR_LOG_FILTER", filter);
        let server = Server::start_with(settings).await;
        let used = everything(&server).await;
        let log = server.log();
        assert!(log.contains("answered") && log.contains("refused"), "it is a log: {log}");
        let audit = audit_log(&server).await;
        for event in ["sign_in.failed", "code.redeemed", "grant.revoked", "set_password_link.used"] {
            assert!(audit.contains(event), "it is an audit log: {audit}");
        }
        for (name, value) in used.0 {
            assert!(value.len() >= 8, "{name} would be found anywhere");
            let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            for value in [&value, &encoded] {
                let line = log.lines().chain(audit.lines()).find(|line| line.contains(value.as_str()));
                assert_eq!(line, None, "{format} {filter}: a {name}");
            }
        }
    }
}

#[tokio::test]
async fn an_event_can_be_found_by_its_requests_id() {
    let server = Server::start_with(Settings::default().with("GRANTOR_LOG_FORMAT", "json")).await;
    let answer = Browser::new(&server).get("/authorize?client_id=%3Cx%3E%0Aforged").await;
    let id = answer.header("x-request-id").unwrap();
    let log = server.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(id)).collect();
    assert!(lines.len() >= 2, "{log}");
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
    }
}

#[tokio::test]
async fn what_strangers_send_is_no_error_of_ours() {
    let server = Server::start().await;
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-A: {}\r\n\r\n", "a".repeat(200_000));
    for request in
        [long.as_bytes(), b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nA\0: b\r\n\r\n"]
    {
        Wire::ask(&server, request).await;
    }
    let log = server.log();
    assert!(!log.contains("ERROR"), "{log}");
}
