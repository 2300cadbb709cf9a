//! Back-channel logout (OpenID Connect Back-Channel Logout 1.0): apps are told that a session has ended.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Value, json};

use super::id_token;
use crate::harness::{
    Browser, LogoutReceiver, RelyingParty, Server, Settings, TestDatabase, jwt, set_backchannel_logout_uri,
    until,
};

const LONG: Duration = Duration::from_secs(20);

fn listing(receiver: &LogoutReceiver) -> Settings {
    Settings::default().with("GRANTOR_OUTGOING_ALLOWED_ORIGINS", &receiver.origin())
}

async fn server_that_lists(receiver: &LogoutReceiver) -> Server {
    let server = Server::start_with(listing(receiver)).await;
    server.user("alice", &[]);
    server
}

async fn sign_out(browser: &Browser) {
    assert!(browser.submit(&browser.get("/sign-out").await, &[]).await.has_id("logout-done"));
}

/// Signs in to these apps in a browser of its own, and out again.
async fn in_and_out(server: &Server, apps: &[&RelyingParty]) {
    let browser = Browser::new(server);
    for app in apps {
        app.sign_in(&browser, "alice", &[]).await;
    }
    sign_out(&browser).await;
}

fn deliveries(server: &Server, app: &RelyingParty) -> Vec<Value> {
    let list = server.cli(&["logout-delivery", "list", "--client", &app.client_id]);
    list.as_array().unwrap().clone()
}

async fn arrived(receiver: &LogoutReceiver, path: &str, number: usize) {
    until(LONG, || async { receiver.requests(path).len() >= number }).await;
}

/// Waits until nothing is left to do for this app; its deliveries.
async fn settled(server: &Server, app: &RelyingParty) -> Vec<Value> {
    until(LONG, || async { deliveries(server, app).iter().all(|one| one["next_attempt_at"].is_null()) })
        .await;
    deliveries(server, app)
}

/// Verifies a logout token as an app does it (§2.6), with a library of its own.
async fn verify(server: &Server, token: &str, app: &RelyingParty, alg: Algorithm) -> Value {
    let mut validation = Validation::new(alg);
    validation.set_issuer(&[&server.issuer]);
    validation.set_audience(&[&app.client_id]);
    validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
    validation.leeway = 0;
    let key = DecodingKey::from_jwk(&jwt::key_of(server, token).await).unwrap();
    let verified = decode::<Value>(token, &key, &validation).unwrap();
    assert_eq!(verified.header.typ.as_deref(), Some("logout+jwt"));
    verified.claims
}

#[tokio::test]
async fn the_metadata_says_so() {
    let server = Server::start().await;
    let metadata = Browser::new(&server).get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["backchannel_logout_supported"], true);
    assert_eq!(metadata["backchannel_logout_session_supported"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_app_of_a_session_is_told_once_in_its_own_words() {
    let receiver = LogoutReceiver::start().await;
    let server = server_that_lists(&receiver).await;
    let es256 = ["--id-token-signed-response-alg", "ES256"];
    let (one, other) =
        (receiver.register(&server, "/one", &[]).await, receiver.register(&server, "/other", &es256).await);
    let (silent, stranger) =
        (RelyingParty::register(&server, &[]), receiver.register(&server, "/stranger", &[]).await);
    let (browser, elsewhere) = (Browser::new(&server), Browser::new(&server));
    let tokens = one.sign_in(&browser, "alice", &[]).await;
    one.sign_in(&browser, "alice", &[]).await;
    other.sign_in(&browser, "alice", &[]).await;
    silent.sign_in(&browser, "alice", &[]).await;
    stranger.sign_in(&elsewhere, "alice", &[]).await;
    let claims = id_token(&server, &one, &tokens).await;
    sign_out(&browser).await;

    arrived(&receiver, "/one", 1).await;
    arrived(&receiver, "/other", 1).await;
    for (path, app, alg) in [("/one", &one, Algorithm::RS256), ("/other", &other, Algorithm::ES256)] {
        let listed = settled(&server, app).await;
        let [request] = &receiver.requests(path)[..] else { panic!("more than once: {path}") };
        assert!(request.head.contains("content-type: application/x-www-form-urlencoded"), "{}", request.head);
        let told = verify(&server, &request.logout_token, app, alg).await;
        let names: BTreeSet<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
        // §2.4: no `nonce`.
        assert_eq!(names, BTreeSet::from(["iss", "sub", "aud", "iat", "exp", "jti", "events", "sid"]));
        assert_eq!(told["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
        let lifetime = told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap();
        assert!((1..=120).contains(&lifetime), "{lifetime}");
        assert_eq!(told["sub"], claims["sub"]);
        assert_eq!(told["sid"] == claims["sid"], path == "/one", "each app has its own name for the session");
        let [listed] = &listed[..] else { panic!("{listed:#?}") };
        assert_eq!((&listed["id"], &listed["attempts"]), (&told["jti"], &json!(1)));
        assert!(listed["delivered_at"].is_string() && listed["last_error"].is_null(), "{listed}");
        // It is none of the tokens that could be used for anything.
        let hint = format!("/logout?id_token_hint={}", request.logout_token);
        assert!(browser.get(&hint).await.is_error_page());
        assert_eq!(app.introspect(&request.logout_token).await, json!({ "active": false }));
    }
    assert_eq!(receiver.requests("/stranger").len(), 0, "its session goes on");
    assert_eq!(deliveries(&server, &silent), [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_fails_is_told_again_and_holds_nobody_up() {
    let (down, well) = (LogoutReceiver::start().await, LogoutReceiver::start().await);
    let origins = format!("{},{}", down.origin(), well.origin());
    let server =
        Server::start_with(Settings::default().with("GRANTOR_OUTGOING_ALLOWED_ORIGINS", &origins)).await;
    server.user("alice", &[]);
    let app = down.register(&server, "/down", &[]).await;
    let fine = well.register(&server, "/fine", &[]).await;
    // §2.8: a 400 too may pass.
    for (number, answer) in
        ["500 Oops", "400 Bad Request", "302 Found\r\nLocation: /elsewhere"].iter().enumerate()
    {
        down.answers(answer, Duration::ZERO);
        in_and_out(&server, &[&app, &fine]).await;
        arrived(&down, "/down", number + 1).await;
        arrived(&well, "/fine", number + 1).await;
    }
    until(LONG, || async { deliveries(&server, &app).iter().all(|one| !one["last_error"].is_null()) }).await;
    let failed = deliveries(&server, &app);
    let errors: BTreeSet<_> =
        failed.iter().map(|one| one["last_error"].as_str().unwrap().to_owned()).collect();
    let expected =
        ["302", "400", "500"].map(|status| format!("the app answered with {status} and not with 200"));
    assert_eq!(errors, BTreeSet::from(expected));
    assert_eq!(down.requests("/elsewhere").len(), 0, "a redirect is not followed");
    // A token made for the first attempt would have expired by the last one.
    let first = verify(&server, &down.requests("/down")[0].logout_token, &app, Algorithm::RS256).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    down.answers("204 No Content", Duration::ZERO);
    assert_eq!(
        server.cli(&["logout-delivery", "retry", "--client", &app.client_id]),
        json!({ "sent_again": 3 })
    );
    let listed = settled(&server, &app).await;
    assert!(listed.iter().all(|one| one["delivered_at"].is_string()), "{listed:#?}");
    let mut again = None;
    for request in &down.requests("/down")[3..] {
        let claims = verify(&server, &request.logout_token, &app, Algorithm::RS256).await;
        again = again.or(Some(claims).filter(|claims| claims["jti"] == first["jti"]));
    }
    let again = again.expect("the first is among them");
    assert!(again["iat"].as_i64() > first["iat"].as_i64(), "{again} {first}");
    assert_eq!(well.requests("/fine").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_never_answers_leaves_the_others_room() {
    let (slow, well) = (LogoutReceiver::start().await, LogoutReceiver::start().await);
    let origins = format!("{},{}", slow.origin(), well.origin());
    let server =
        Server::start_with(Settings::default().with("GRANTOR_OUTGOING_ALLOWED_ORIGINS", &origins)).await;
    server.user("alice", &[]);
    slow.answers("200 OK", Duration::from_secs(3_600));
    let (app, fine) =
        (slow.register(&server, "/slow", &[]).await, well.register(&server, "/fine", &[]).await);
    let browser = Browser::new(&server);
    app.sign_in(&browser, "alice", &[]).await;
    sign_out(&browser).await;
    // As many as there are places for all apps together, and more.
    let many = "INSERT INTO logout_deliveries (id, client_id, user_id, session_id)
                SELECT gen_random_uuid(), client_id, user_id, session_id FROM logout_deliveries, generate_series(1, 60)";
    server.database.execute(many).await;
    arrived(&slow, "/slow", 4).await;
    in_and_out(&server, &[&fine]).await;
    arrived(&well, "/fine", 1).await;
    assert!(slow.requests("/slow").len() <= 8, "four at a time, five seconds each");
    let pending = server.cli(&["logout-delivery", "list", "--pending"]);
    assert_eq!(pending.as_array().unwrap().len(), 61);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_apps_that_never_answer_leave_the_others_room() {
    let (slow, well) = (LogoutReceiver::start().await, LogoutReceiver::start().await);
    let origins = format!("{},{}", slow.origin(), well.origin());
    let server =
        Server::start_with(Settings::default().with("GRANTOR_OUTGOING_ALLOWED_ORIGINS", &origins)).await;
    server.user("alice", &[]);
    slow.answers("200 OK", Duration::from_secs(3_600));
    let fine = well.register(&server, "/fine", &[]).await;
    for number in 0..5 {
        slow.register(&server, &format!("/slow{number}"), &[]).await;
    }
    // Sixty messages each, older than any other: some minutes' work for all places together.
    let many = "INSERT INTO logout_deliveries (id, client_id, user_id, session_id)
                SELECT gen_random_uuid(), client_id, gen_random_uuid(), gen_random_uuid()
                FROM clients, generate_series(1, 60) WHERE backchannel_logout_uri LIKE '%/slow%'";
    server.database.execute(many).await;
    in_and_out(&server, &[&fine]).await;
    arrived(&well, "/fine", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_work_and_each_message_is_sent_once() {
    let receiver = LogoutReceiver::start().await;
    let server = server_that_lists(&receiver).await;
    let _replica = server.replica(listing(&receiver)).await;
    receiver.answers("200 OK", Duration::from_millis(50));
    let apps = [
        receiver.register(&server, "/one", &[]).await,
        receiver.register(&server, "/two", &[]).await,
        receiver.register(&server, "/three", &[]).await,
    ];
    for _ in 0..10 {
        in_and_out(&server, &apps.each_ref()).await;
    }
    for (app, path) in apps.iter().zip(["/one", "/two", "/three"]) {
        let listed = settled(&server, app).await;
        assert!(
            listed.iter().all(|one| one["attempts"] == 1 && !one["delivered_at"].is_null()),
            "{listed:#?}"
        );
        let mut ids = BTreeSet::new();
        for request in receiver.requests(path) {
            let claims = verify(&server, &request.logout_token, app, Algorithm::RS256).await;
            assert!(ids.insert(claims["jti"].as_str().unwrap().to_owned()), "twice: {claims}");
        }
        assert_eq!(ids.len(), 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_no_message() {
    let receiver = LogoutReceiver::start().await;
    let database = Arc::new(TestDatabase::new().await);
    let server = Server::start_on(Arc::clone(&database), listing(&receiver)).await;
    server.user("alice", &[]);
    let app = receiver.register(&server, "/app", &[]).await;
    // It dies while the app thinks, between the claim and what would be written of it.
    receiver.answers("200 OK", Duration::from_secs(3_600));
    in_and_out(&server, &[&app]).await;
    arrived(&receiver, "/app", 1).await;
    server.signal("-9");
    let mut connection = database.sql().await;
    let claimed = "SELECT attempts = 1 AND next_attempt_at BETWEEN clock_timestamp() AND clock_timestamp() + '30 s'::interval
                   FROM logout_deliveries WHERE delivered_at IS NULL";
    let claimed: bool = sqlx::query_scalar(claimed).fetch_one(&mut connection).await.unwrap();
    assert!(claimed, "it is due again when the claim ends");
    // Nobody waits for that here.
    database.execute("UPDATE logout_deliveries SET next_attempt_at = clock_timestamp()").await;
    receiver.answers("200 OK", Duration::ZERO);
    let next = Server::start_on(database, listing(&receiver)).await;
    arrived(&receiver, "/app", 2).await;
    let listed = settled(&next, &app).await;
    assert_eq!((&listed[0]["attempts"], listed[0]["delivered_at"].is_string()), (&json!(2), true));
}

// Case 76.
#[tokio::test(flavor = "multi_thread")]
async fn no_address_is_a_way_into_the_network_behind_the_server() {
    let receiver = LogoutReceiver::start().await;
    // It lists nothing.
    let server = Server::start().await;
    server.user("alice", &[]);
    let refused = [
        "https://127.0.0.1/logout",
        "https://169.254.169.254/latest",
        "https://[::1]/logout",
        "https://2130706433/logout",
        "http://app.example/logout",
        "https://app.example/logout#fragment",
        "https://user@app.example/logout",
        "file:///etc/passwd",
        &receiver.origin(),
    ];
    let app = RelyingParty::register(&server, &[]);
    for uri in refused {
        let update = ["client", "update", &app.client_id, "--backchannel-logout-uri", uri];
        let output = server.cli_output(&update, "");
        assert!(!output.status.success(), "{uri}");
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(error["error"], "invalid_client_metadata", "{error}");
        assert!(error["error_description"].as_str().unwrap().contains("backchannel_logout_uri"), "{error}");
    }
    // What was registered when it was allowed, or resolves to this machine, is not sent to either.
    let port = receiver.origin().rsplit(':').next().unwrap().to_owned();
    for uri in [format!("{}/app", receiver.origin()), format!("https://localhost:{port}/app")] {
        set_backchannel_logout_uri(&server, &app.client_id, &uri).await;
        server.cli(&["client", "update", &app.client_id, "--name", &format!("App at {}", uri.len())]);
        server.change_arrives().await;
        in_and_out(&server, &[&app]).await;
        until(LONG, || async { deliveries(&server, &app).iter().all(|one| !one["last_error"].is_null()) })
            .await;
        for one in deliveries(&server, &app) {
            assert!(one["last_error"].as_str().unwrap().contains("the address is refused"), "{one}");
        }
    }
    assert_eq!(receiver.requests("/app").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_nobody_to_tell_nothing_is_sent() {
    let receiver = LogoutReceiver::start().await;
    let server = server_that_lists(&receiver).await;
    receiver.answers("500 Oops", Duration::ZERO);
    let (gone, off) =
        (receiver.register(&server, "/gone", &[]).await, receiver.register(&server, "/off", &[]).await);
    let silent = receiver.register(&server, "/silent", &[]).await;
    in_and_out(&server, &[&gone, &off, &silent]).await;
    for path in ["/gone", "/off", "/silent"] {
        arrived(&receiver, path, 1).await;
    }
    server.cli(&["client", "delete", &gone.client_id]);
    server.cli(&["client", "update", &off.client_id, "--disable"]);
    server.cli(&["client", "update", &silent.client_id, "--backchannel-logout-uri", ""]);
    server.change_arrives().await;
    server.cli(&["logout-delivery", "retry", "--all"]);
    for (app, path) in [(&gone, "/gone"), (&off, "/off"), (&silent, "/silent")] {
        let listed = settled(&server, app).await;
        assert!(listed[0]["delivered_at"].is_null(), "{listed:#?}");
        assert!(listed[0]["last_error"].as_str().unwrap().contains("the client is gone"), "{listed:#?}");
        assert!(receiver.requests(path).len() <= 2, "{path}");
    }
}
