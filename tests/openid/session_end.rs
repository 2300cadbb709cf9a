//! What the end of a session ends, and what signing in again does not.

use std::time::Duration;

use reqwest::header::{COOKIE, HeaderValue};
use serde_json::{Value, json};
use sqlx::Row;

use super::id_token;
use crate::harness::{
    Answer, Browser, LogoutReceiver, RelyingParty, Server, password_of, pkce, set_backchannel_logout_uri,
};

const OFFLINE: (&str, &str) = ("scope", "openid offline_access");

async fn server() -> Server {
    let server = Server::start().await;
    server.user("alice", &[]);
    server
}

/// Who is to be told that a session has ended: clients, and how often.
async fn told(server: &Server) -> Vec<(String, i64)> {
    let mut connection = server.database.sql().await;
    let all = sqlx::query("SELECT client_id, count(*) FROM logout_deliveries GROUP BY 1 ORDER BY 1");
    all.fetch_all(&mut connection).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// An app that is to be told, at an address that nothing is sent to.
async fn told_app(server: &Server, arguments: &[&str]) -> RelyingParty {
    let app = RelyingParty::register(server, arguments);
    set_backchannel_logout_uri(server, &app.client_id, "https://127.0.0.1/logout").await;
    app
}

async fn sign_out(browser: &Browser) {
    let done = browser.submit(&browser.get("/sign-out").await, &[]).await;
    assert!(done.has_id("logout-done"), "{}", done.body);
}

async fn sign_in_again(app: &RelyingParty, browser: &Browser, name: &str) -> Answer {
    let again = app.authorize_path(&pkce().1, &[("prompt", "login")]);
    let page = browser.follow(browser.get(&again).await).await;
    browser.sign_in_on(&page, name).await
}

/// A browser that comes with this session's cookie.
fn with_cookie(server: &Server, cookie: &str) -> Browser {
    let cookie = HeaderValue::from_str(cookie).unwrap();
    Browser::with(server, |settings| settings.default_headers([(COOKIE, cookie)].into_iter().collect()))
}

/// Which of these cookies is a living session's.
async fn living_cookie(server: &Server, cookies: &[String]) -> String {
    for cookie in cookies {
        if with_cookie(server, cookie).get("/account").await.status == 200 {
            return cookie.clone();
        }
    }
    panic!("none of {cookies:?}");
}

fn cookie_of(answer: &Answer) -> String {
    let cookie = answer.cookies().into_iter().find(|cookie| cookie.starts_with("grantor_session=")).unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_same_person_signs_in_again_and_no_app_loses_anything() {
    let server = server().await;
    let (app, other) = (told_app(&server, &[]).await, told_app(&server, &[]).await);
    let browser = Browser::new(&server);
    let page = browser.get("/sign-in").await;
    let fields = [("username", "alice"), ("password", &password_of("alice"))];
    let old_cookie = cookie_of(&browser.submit(&page, &fields).await);
    let tied = other.sign_in(&browser, "alice", &[]).await;
    let before = id_token(&server, &other, &tied).await;
    // `auth_time` counts in seconds.
    tokio::time::sleep(Duration::from_millis(1_100)).await;

    for more in [("prompt", "login"), ("max_age", "0")] {
        let (verifier, challenge) = pkce();
        let page = browser.follow(browser.get(&app.authorize_path(&challenge, &[more])).await).await;
        let answer = browser.submit(&page, &fields).await;
        assert_ne!(cookie_of(&answer), old_cookie, "a new cookie, against fixation");
        let mut answer = browser.follow(answer).await;
        if answer.has_id("consent-allow") {
            answer = browser.follow(browser.submit(&answer, &[("decision", "allow")]).await).await;
        }
        let tokens = app.redeem(&answer.parameter("code").unwrap(), &verifier, &[]).await.tokens();
        let claims = id_token(&server, &app, &tokens).await;
        assert!(claims["auth_time"].as_i64() > before["auth_time"].as_i64(), "{claims} {before}");
    }
    // The other app's grant lives, in the session that it was begun in and with the sign-in that it was given for.
    let refreshed = other.refresh(tied.refresh_token(), &[]).await.tokens();
    let after = id_token(&server, &other, &refreshed).await;
    assert_eq!((&after["sid"], &after["auth_time"]), (&before["sid"], &before["auth_time"]));
    let again = other.sign_in(&browser, "alice", &[]).await;
    let claims = id_token(&server, &other, &again).await;
    assert_eq!(claims["sid"], before["sid"]);
    assert!(claims["auth_time"].as_i64() > before["auth_time"].as_i64());
    assert_eq!(told(&server).await, []);
    // Who has the cookie of before has nothing.
    let thief = Browser::new(&server);
    let page = thief.request(reqwest::Method::GET, "/").header("cookie", &old_cookie).send().await.unwrap();
    assert!(!page.text().await.unwrap().contains("alice"));
    // One session, which is as long from here as any.
    let mut connection = server.database.sql().await;
    let sessions = "SELECT count(*), extract(epoch FROM max(expires_at - auth_time))::bigint FROM sessions";
    let row = sqlx::query(sessions).fetch_one(&mut connection).await.unwrap();
    assert_eq!((row.get::<i64, _>(0), row.get::<i64, _>(1)), (1, 7 * 86_400));
}

/// A form that is sent twice, by a finger that presses twice, comes twice with the same cookie.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_is_sent_twice_leaves_one_session_to_sign_out_of() {
    let server = server().await;
    let (app, browser) = (told_app(&server, &[]).await, Browser::new(&server));
    let tied = app.sign_in(&browser, "alice", &[]).await;
    let path = app.authorize_path(&pkce().1, &[("prompt", "login")]);
    let page = browser.follow(browser.get(&path).await).await;
    let fields = [("username", "alice"), ("password", &*password_of("alice"))];
    let (one, other) = tokio::join!(browser.submit(&page, &fields), browser.submit(&page, &fields));
    assert_ne!(cookie_of(&one), cookie_of(&other));
    let mut connection = server.database.sql().await;
    let living = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM sessions WHERE ended_at IS NULL");
    assert_eq!(living.fetch_one(&mut connection).await.unwrap(), 1);
    assert_eq!(app.introspect(tied.access_token()).await["active"], true);
    // Only the cookie that was given last is good, whichever of them the browser has kept.
    let good = living_cookie(&server, &[cookie_of(&one), cookie_of(&other)]).await;
    let page = with_cookie(&server, &good).get("/sign-out").await;
    assert!(page.has_id("logout-confirm"), "{}", page.body);

    // A while later an old cookie is nobody's.
    let old = [cookie_of(&one), cookie_of(&other)].into_iter().find(|cookie| *cookie != good).unwrap();
    server.database.execute("UPDATE sessions SET auth_time = auth_time - interval '61 s'").await;
    let page = with_cookie(&server, &old).get("/sign-in").await;
    let form_cookie = page.cookies()[0].split(';').next().unwrap().to_owned();
    let answer = with_cookie(&server, &format!("{old}; {form_cookie}")).submit(&page, &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let living = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM sessions WHERE ended_at IS NULL");
    assert_eq!(living.fetch_one(&mut connection).await.unwrap(), 2);
}

#[tokio::test]
async fn somebody_else_signs_in_and_the_session_before_ends() {
    let server = server().await;
    server.user("bob", &[]);
    let (app, browser) = (told_app(&server, &[]).await, Browser::new(&server));
    let tied = app.sign_in(&browser, "alice", &[]).await;
    let sid = id_token(&server, &app, &tied).await["sid"].clone();
    sign_in_again(&app, &browser, "bob").await;
    assert_eq!(app.introspect(tied.access_token()).await["active"], false);
    assert_eq!(told(&server).await, [(app.client_id.clone(), 1)]);
    let bobs = app.sign_in(&browser, "bob", &[]).await;
    assert_ne!(id_token(&server, &app, &bobs).await["sid"], sid);
}

#[tokio::test]
async fn a_session_that_time_has_ended_does_not_go_on_and_nobody_is_told() {
    let server = server().await;
    let (app, browser) = (told_app(&server, &[]).await, Browser::new(&server));
    let tied = app.sign_in(&browser, "alice", &[]).await;
    let sid = id_token(&server, &app, &tied).await["sid"].clone();
    server.database.execute("UPDATE sessions SET idle_expires_at = clock_timestamp()").await;
    let again = app.sign_in(&browser, "alice", &[]).await;
    assert_ne!(id_token(&server, &app, &again).await["sid"], sid);
    // What has expired does not come back.
    assert_eq!(app.introspect(tied.access_token()).await["active"], false);
    assert_eq!(told(&server).await, []);
}

#[tokio::test]
async fn offline_access_ends_with_its_session_only_where_the_client_says_so() {
    let server = server().await;
    let ending = told_app(&server, &["--end-offline-grants-with-session", "true"]).await;
    let staying = told_app(&server, &[]).await;
    let (here, elsewhere) = (Browser::new(&server), Browser::new(&server));
    let ended = ending.sign_in(&here, "alice", &[OFFLINE]).await;
    let ended_too = ending.sign_in(&here, "alice", &[OFFLINE]).await;
    let of_another_session = ending.sign_in(&elsewhere, "alice", &[OFFLINE]).await;
    let kept = staying.sign_in(&here, "alice", &[OFFLINE]).await;
    sign_out(&here).await;
    for (app, tokens, active) in [
        (&ending, &ended, false),
        (&ending, &ended_too, false),
        (&ending, &of_another_session, true),
        (&staying, &kept, true),
    ] {
        assert_eq!(app.introspect(tokens.access_token()).await["active"], active);
        assert_eq!(app.refresh(tokens.refresh_token(), &[]).await.status == 200, active);
    }
    // One message for each app and session, however many grants there were; also to whom keeps its grant.
    let mut expected = vec![(ending.client_id.clone(), 1), (staying.client_id.clone(), 1)];
    expected.sort();
    assert_eq!(told(&server).await, expected);
    let revoked = server.cli(&["audit", "list", "--event", "grant.revoked"]);
    let revoked = revoked.as_array().unwrap();
    assert_eq!(revoked.len(), 2, "{revoked:#?}");
    for event in revoked {
        assert_eq!(
            (&event["details"], &event["actor_kind"]),
            (&json!({ "reason": "session_ended" }), &json!("user"))
        );
        assert_eq!(event["client_id"], ending.client_id.as_str());
    }
}

#[tokio::test]
async fn whatever_ends_a_session_tells_its_apps() {
    for (reason, user) in [("password", "pat"), ("disable", "dora"), ("delete", "dele")] {
        let server = server().await;
        server.user(user, &[]);
        let app = told_app(&server, &[]).await;
        let (here, elsewhere, bystander) =
            (Browser::new(&server), Browser::new(&server), Browser::new(&server));
        app.sign_in(&here, user, &[]).await;
        app.sign_in(&elsewhere, user, &[OFFLINE]).await;
        let others = app.sign_in(&bystander, "alice", &[]).await;
        let sessions = match reason {
            // The session in which the password is changed goes on.
            "password" => {
                let page = here.get("/password").await;
                let new = "a fresh battery staple";
                let fields = [
                    ("current_password", &*password_of(user)),
                    ("new_password", new),
                    ("new_password_again", new),
                ];
                assert_eq!(here.submit(&page, &fields).await.status, 200);
                1
            }
            verb => {
                server.cli(&["user", verb, user]);
                2
            }
        };
        assert_eq!(told(&server).await, [(app.client_id.clone(), sessions)], "{reason}");
        assert_eq!(app.introspect(others.access_token()).await["active"], true, "{reason}");
    }
}

/// An approval that came before the end of its session is seen by it, whichever of the two waited for the other.
#[tokio::test(flavor = "multi_thread")]
async fn no_approval_slips_through_the_end_of_its_session() {
    let server = server().await;
    let app = told_app(&server, &["--end-offline-grants-with-session", "true"]).await;
    let mut approved_in_time = 0;
    for round in 0..24 {
        let browser = Browser::new(&server);
        browser.sign_in("alice").await;
        let page = browser.get("/sign-out").await;
        let (verifier, challenge) = pkce();
        let request = app.authorize_path(&challenge, &[OFFLINE, ("prompt", "consent")]);
        let consent = browser.follow(browser.get(&request).await).await;
        let signing_out = async {
            tokio::time::sleep(Duration::from_micros(400 * (round % 8))).await;
            sign_out_on(&browser, &page).await;
        };
        let (approved, ()) = tokio::join!(browser.submit(&consent, &[("decision", "allow")]), signing_out);
        if let Some(code) = approved.parameter("code") {
            approved_in_time += 1;
            app.redeem(&code, &verifier, &[]).await.assert_refused(400, "invalid_grant");
        }
    }
    let messages: i64 = told(&server).await.iter().map(|(_, number)| number).sum();
    assert_eq!(messages, approved_in_time, "of {:?}", told(&server).await);
}

async fn sign_out_on(browser: &Browser, page: &Answer) {
    assert!(browser.submit(page, &[]).await.has_id("logout-done"));
}

/// A session with many grants ends as quickly as any: the sign-out is answered within the statement's limits, and each
/// app is told once.
#[tokio::test]
async fn a_session_with_many_grants_ends_at_once() {
    let server = server().await;
    let receiver = LogoutReceiver::start().await;
    let app = receiver.register(&server, "/a", &["--end-offline-grants-with-session", "true"]).await;
    let browser = Browser::new(&server);
    let tokens = app.sign_in(&browser, "alice", &[OFFLINE]).await;
    let copy = "INSERT INTO grants (id, user_id, client_id, session_id, requested_scopes, scopes, resources, auth_time,
                    created_at, expires_at, started_in)
                SELECT overlay(gen_random_uuid()::text placing left(g.id::text, 4) from 1)::uuid, user_id, client_id,
                    session_id, requested_scopes, scopes, resources, auth_time, created_at, expires_at, started_in
                FROM grants g, generate_series(1, 5000)";
    server.database.execute(copy).await;
    let started = std::time::Instant::now();
    sign_out(&browser).await;
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(app.introspect(tokens.access_token()).await, json!({ "active": false }));
    assert_eq!(told(&server).await, [(app.client_id.clone(), 1)]);
    let mut connection = server.database.sql().await;
    let left = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM grants WHERE revoked_at IS NULL");
    assert_eq!(left.fetch_one(&mut connection).await.unwrap(), 0);
    // Recording each would take longer than ending them.
    let recorded =
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM audit_events WHERE event = 'grant.revoked'");
    assert_eq!(recorded.fetch_one(&mut connection).await.unwrap(), 1_000);
}

/// Somebody who signs in without end cannot make the end of it take too long.
#[tokio::test]
async fn an_account_is_switched_off_however_many_sessions_it_has() {
    let server = server().await;
    Browser::new(&server).sign_in("alice").await;
    let copy = "INSERT INTO sessions (id, token_hash, user_id, auth_time, last_seen_at, idle_expires_at, expires_at)
                SELECT gen_random_uuid(), sha256(n::text::bytea), user_id, auth_time, last_seen_at, idle_expires_at,
                    expires_at
                FROM sessions, generate_series(1, 1200) n";
    server.database.execute(copy).await;
    server.cli(&["user", "disable", "alice"]);
    let mut connection = server.database.sql().await;
    let counts = "SELECT (SELECT count(*) FROM sessions WHERE ended_at IS NULL),
                      (SELECT count(*) FROM audit_events WHERE event = 'session.ended')";
    let counts = sqlx::query(counts).fetch_one(&mut connection).await.unwrap();
    assert_eq!((counts.get::<i64, _>(0), counts.get::<i64, _>(1)), (0, 1_000));
}

/// What ends all of a person's grants at one stroke does not end them one by one beside that, however many they are.
#[tokio::test]
async fn an_account_is_switched_off_however_many_grants_it_has() {
    let server = server().await;
    let app = told_app(&server, &["--end-offline-grants-with-session", "true"]).await;
    let tokens = app.sign_in(&Browser::new(&server), "alice", &[OFFLINE]).await;
    server.cli(&["user", "disable", "alice"]);
    server.cli(&["user", "enable", "alice"]);
    assert_eq!(app.introspect(tokens.access_token()).await, json!({ "active": false }));
    app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    assert_eq!(told(&server).await, [(app.client_id.clone(), 1)]);
    let mut connection = server.database.sql().await;
    let written = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM grants WHERE revoked_at IS NOT NULL");
    assert_eq!(written.fetch_one(&mut connection).await.unwrap(), 0);
}

/// Each locks the grants in the same order: neither holds one that the other waits for.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_and_the_end_of_a_consent_do_not_wait_for_each_other() {
    let server = server().await;
    let app = told_app(&server, &["--end-offline-grants-with-session", "true"]).await;
    let (browser, elsewhere) = (Browser::new(&server), Browser::new(&server));
    app.sign_in(&browser, "alice", &[OFFLINE]).await;
    elsewhere.sign_in("alice").await;
    // Three grants, the highest identifier first and the lowest last; the one between them is held.
    let mut holder = server.database.sql().await;
    let copy = "INSERT INTO grants (id, user_id, client_id, requested_scopes, scopes, resources, auth_time,
                    created_at, expires_at, started_in)
                SELECT overlay(g.id::text placing tail from 20)::uuid, user_id, client_id, requested_scopes, scopes,
                    resources, auth_time, created_at, expires_at, started_in
                FROM grants g, unnest(ARRAY['ffff-ffffffffffff', '8888-888888888888', '0000-000000000000']) AS tail
                RETURNING id::text";
    let copies = sqlx::query_scalar::<_, String>(copy).fetch_all(&mut holder).await.unwrap();
    sqlx::query("DELETE FROM grants WHERE id::text <> ALL ($1)")
        .bind(&copies)
        .execute(&mut holder)
        .await
        .unwrap();
    let mut held = sqlx::Connection::begin(&mut holder).await.unwrap();
    sqlx::query("SELECT id FROM grants WHERE id = $1::uuid FOR UPDATE")
        .bind(&copies[1])
        .execute(&mut *held)
        .await
        .unwrap();
    let withdraw = elsewhere.get(&format!("/account/apps/withdraw?client_id={}", app.client_id)).await;
    let withdrawing = tokio::spawn({
        let browser = elsewhere.clone();
        async move { browser.submit(&withdraw, &[]).await }
    });
    server.database.until_waiting(1).await;
    let signing_out = tokio::spawn(async move { sign_out(&browser).await });
    server.database.until_waiting(2).await;
    held.commit().await.unwrap();
    let withdrawn = withdrawing.await.unwrap();
    assert_eq!(withdrawn.status, 200, "{}", withdrawn.body);
    signing_out.await.unwrap();
}

#[tokio::test]
async fn a_page_that_stood_open_signs_out_also_where_time_was_faster() {
    let server = server().await;
    let (app, browser) = (told_app(&server, &[]).await, Browser::new(&server));
    app.sign_in(&browser, "alice", &[]).await;
    let page = browser.get("/sign-out").await;
    server.database.execute("UPDATE sessions SET idle_expires_at = clock_timestamp()").await;
    sign_out_on(&browser, &page).await;
    assert_eq!(told(&server).await, [(app.client_id.clone(), 1)]);
    let ended = server.cli(&["audit", "list", "--event", "sign_out"]);
    assert_eq!(ended.as_array().map(Vec::len), Some(1), "{:#}", Value::from(ended.to_string()));
}
