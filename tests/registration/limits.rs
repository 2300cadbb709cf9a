//! How many clients there may be, and how many one network may register. Case 78.

use reqwest::Method;

use serde_json::json;

use super::{open, own_path, registered, send, text, web_app, web_app_with};
use crate::harness::{Answer, Browser, KeyServer, Server, Settings};

async fn from(server: &Server, address: &str) -> Answer {
    let browser = Browser::from_address(server, address);
    send(&browser, Method::POST, "/register", None, Some(&web_app())).await
}

fn assert_too_many(answer: &Answer) {
    assert_eq!(answer.status, 429, "{}", answer.body);
    assert_eq!(answer.json()["error"], "temporarily_unavailable");
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() > 60);
}

#[tokio::test]
async fn a_network_registers_so_many_a_day_on_all_processes_and_after_a_restart() {
    let settings = || open().with("GRANTOR_REGISTRATION_PER_NETWORK_PER_DAY", "3");
    let server = Server::start_with(settings()).await;
    let replica = server.replica(settings()).await;
    for process in [&server, &replica, &server] {
        assert_eq!(from(process, "2001:db8:1:2::1").await.status, 201);
    }
    assert_too_many(&from(&replica, "2001:db8:1:2::ffff").await);
    let restarted = server.replica(settings()).await;
    assert_too_many(&from(&restarted, "2001:db8:1:2::2").await);
    assert_eq!(from(&server, "2001:db8:1:3::1").await.status, 201);
    // What was refused for another reason does not count, and who has a token is not counted.
    let elsewhere = Browser::from_address(&server, "203.0.113.7");
    for _ in 0..5 {
        let nothing = serde_json::json!({});
        let answer = send(&elsewhere, Method::POST, "/register", None, Some(&nothing)).await;
        assert_eq!(answer.status, 400);
    }
    let token = server.cli(&["initial-access-token", "create", "--name", "Partner"]);
    let token = Some(text(&token, "initial_access_token"));
    for _ in 0..4 {
        let answer = send(&elsewhere, Method::POST, "/register", token, Some(&web_app())).await;
        assert_eq!(answer.status, 201);
    }
    assert_eq!(from(&server, "203.0.113.7").await.status, 201);
}

#[tokio::test]
async fn there_are_so_many_clients_at_a_time_and_no_more_by_asking_at_once() {
    let server = Server::start_with(open().with("GRANTOR_REGISTRATION_MAX_CLIENTS", "4")).await;
    crate::harness::RelyingParty::register(&server, &[]);
    let asked =
        (0..20).map(|number| from(&server, if number % 2 == 0 { "203.0.113.1" } else { "203.0.113.2" }));
    let asked = futures_util::future::join_all(asked).await;
    let registered: Vec<_> = asked.iter().filter(|answer| answer.status == 201).collect();
    let busy = asked.iter().any(|answer| answer.status == 503);
    assert!(registered.len() == 4 || busy, "{}", registered.len());
    assert!(registered.len() <= 4);
    for _ in registered.len()..4 {
        assert_eq!(from(&server, "203.0.113.3").await.status, 201);
    }
    assert_too_many(&from(&server, "203.0.113.3").await);
    // Strangers do not shut out whom an operator has given a token.
    let partner = server.cli(&["initial-access-token", "create", "--name", "Partner"]);
    let partner = Some(text(&partner, "initial_access_token"));
    let browser = Browser::new(&server);
    let admitted = send(&browser, Method::POST, "/register", partner, Some(&web_app())).await;
    assert_eq!(admitted.status, 201, "{}", admitted.body);
    let path = super::own_path(&server, &admitted.json());
    let token = text(&admitted.json(), "registration_access_token").to_owned();
    assert_eq!(send(&browser, Method::DELETE, &path, Some(&token), None).await.status, 204);
    // One that goes makes room.
    let told = registered[0].json();
    let path = super::own_path(&server, &told);
    let token = Some(text(&told, "registration_access_token"));
    assert_eq!(send(&browser, Method::DELETE, &path, token, None).await.status, 204);
    assert_eq!(from(&server, "203.0.113.4").await.status, 201);
}

#[tokio::test]
async fn an_address_may_ask_only_so_often() {
    let settings = Settings::default()
        .with("GRANTOR_REGISTRATION_MODE", "open")
        .with("GRANTOR_SERVER_TRUSTED_PROXIES", "127.0.0.1")
        .with("GRANTOR_LIMITS_REGISTRATION_PER_ADDRESS", "2");
    let server = Server::start_with(settings).await;
    for _ in 0..2 {
        assert_eq!(from(&server, "203.0.113.7").await.status, 201);
    }
    assert_eq!(from(&server, "203.0.113.7").await.status, 429);
    assert_eq!(Browser::from_address(&server, "203.0.113.7").get("/register/x").await.status, 429);
    assert_eq!(from(&server, "203.0.113.8").await.status, 201);
}

#[tokio::test]
async fn scripts_of_every_site_may_register_and_read_why_not() {
    let server = Server::start_with(open()).await;
    let browser = Browser::new(&server);
    for (path, method) in
        [("/register", "POST"), ("/register/x", "GET"), ("/register/x", "PUT"), ("/register/x", "DELETE")]
    {
        let asked = browser
            .request(Method::OPTIONS, path)
            .header("origin", "https://inspector.example")
            .header("access-control-request-method", method)
            .header("access-control-request-headers", "authorization,content-type");
        let asked = Answer::read(asked.send().await.unwrap()).await;
        assert_eq!(asked.status, 204, "{path}");
        assert!(asked.header("access-control-allow-methods").unwrap().contains(method), "{path} {method}");
        assert_eq!(asked.header("access-control-allow-credentials"), None);
    }
    for answer in [from(&server, "203.0.113.7").await, browser.get("/register/x").await] {
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_client_does_not_change_itself_and_have_documents_fetched_without_end() {
    let sector = KeyServer::start().await;
    sector.answers("200 OK", "[]", std::time::Duration::ZERO);
    let settings = open()
        .with("GRANTOR_REGISTRATION_PER_NETWORK_PER_DAY", "3")
        .with("GRANTOR_OUTGOING_ALLOWED_ORIGINS", &sector.origin());
    let server = Server::start_with(settings).await;
    let told = registered(&server, &web_app()).await;
    let (path, token) = (own_path(&server, &told), Some(text(&told, "registration_access_token")));
    let sector_of = json!({ "subject_type": "pairwise", "sector_identifier_uri": sector.uri() });
    let mut body = web_app_with(&sector_of);
    body["client_id"] = told["client_id"].clone();
    let browser = Browser::new(&server);
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(send(&browser, Method::PUT, &path, token, Some(&body)).await.status.as_u16());
    }
    assert_eq!(statuses, [400, 400, 429, 429, 429]);
    assert_eq!(sector.visits(), 2);
    // Nor does it have all processes forget what they know of clients, by changes of any other kind.
    let mut body = web_app();
    body["client_id"] = told["client_id"].clone();
    assert_too_many(&send(&browser, Method::PUT, &path, token, Some(&body)).await);
    assert_eq!(send(&browser, Method::GET, &path, token, None).await.status, 200);
}
