//! Pairwise subjects (OpenID Connect Core §8).

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::id_token;
use crate::harness::{
    Browser, Installation, KeyServer, MASTER_KEY, RelyingParty, Server, Settings, TestDatabase, Tokens,
};

const PAIRWISE: [&str; 2] = ["--subject-type", "pairwise"];

/// A pairwise client at this host.
fn at_host(server: &Server, host: &str, more: &[&str]) -> RelyingParty {
    let redirect_uri = format!("https://{host}/cb");
    RelyingParty::register(server, &[&PAIRWISE, &["--redirect-uri", &redirect_uri], more].concat())
}

/// The commands of an operator who lets Grantor fetch from this machine.
fn operator(server: &Server, sector: &KeyServer) -> Installation {
    Installation::on(&server.database)
        .with("GRANTOR_MASTER_KEY", MASTER_KEY)
        .with("GRANTOR_ISSUER", &server.issuer)
        .with("GRANTOR_OUTGOING_ALLOWED_ORIGINS", &sector.origin())
}

fn lists(sector: &KeyServer, redirect_uris: &[&str]) {
    sector.answers("200 OK", &json!(redirect_uris).to_string(), Duration::ZERO);
}

/// Every `sub` that the client and an API see in these tokens.
async fn subjects(
    server: &Server,
    app: &RelyingParty,
    api: &RelyingParty,
    tokens: &Tokens,
) -> BTreeSet<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let access_token = tokens.access_token();
    let mut subjects =
        BTreeSet::from([text(&id_token(server, app, tokens).await["sub"]), text(&tokens.claims()["sub"])]);
    for (asks, token) in [(app, access_token), (app, tokens.refresh_token()), (api, access_token)] {
        let answer = asks.introspect(token).await;
        assert_eq!(answer["active"], true);
        subjects.insert(text(&answer["sub"]));
    }
    subjects
}

#[tokio::test]
async fn each_sector_sees_another_person_and_sees_it_everywhere() {
    let server = Server::start().await;
    let (alice, bob) = (server.user("alice", &[]), server.user("bob", &[]));
    let audience = ["--audience", "https://api.example"];
    let api = ["--grant", "client_credentials", "--resource-server", "https://api.example"];
    let api = RelyingParty::register(&server, &api);
    let (one, same, other) = (
        at_host(&server, "one.example", &audience),
        at_host(&server, "one.example", &audience),
        at_host(&server, "other.example", &audience),
    );
    let public = RelyingParty::register(&server, &audience);

    let mut seen = Vec::new();
    for (app, name) in
        [(&one, "alice"), (&same, "alice"), (&other, "alice"), (&public, "alice"), (&one, "bob")]
    {
        let tokens = app.sign_in(&Browser::new(&server), name, &[]).await;
        let first = subjects(&server, app, &api, &tokens).await;
        let refreshed = app.refresh(tokens.refresh_token(), &[]).await.tokens();
        let again = subjects(&server, app, &api, &refreshed).await;
        assert_eq!((first.len(), &first), (1, &again), "{name}");
        seen.extend(first);
    }
    let [in_one, in_same, in_other, in_public, of_bob] = seen.try_into().unwrap();
    assert_eq!(in_one, in_same);
    assert_eq!(in_public, alice);
    let all = BTreeSet::from([&in_one, &in_other, &in_public, &of_bob, &bob]);
    assert_eq!(all.len(), 5, "{all:?}");
    // §8: at most 255 characters of ASCII; and the name is not in them.
    assert!(in_one.is_ascii() && in_one.len() == 22);
}

/// A `sub` that nobody else knows leads nowhere: what ends a person or a grant ends it all the same.
#[tokio::test]
async fn what_ends_a_grant_ends_it_for_a_pairwise_client_too() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = at_host(&server, "one.example", &[]);
    let browser = Browser::new(&server);
    let revoked = app.sign_in(&browser, "alice", &[]).await;
    assert_eq!(app.revoke(revoked.access_token()).await.status, 200);
    assert_eq!(app.introspect(revoked.access_token()).await, json!({"active": false}));
    assert_eq!(app.introspect(revoked.refresh_token()).await["active"], true);
    assert_eq!(app.revoke(revoked.refresh_token()).await.status, 200);
    assert_eq!(app.introspect(revoked.refresh_token()).await, json!({"active": false}));

    let live = app.sign_in(&browser, "alice", &[]).await;
    server.cli(&["user", "disable", "alice"]);
    assert_eq!(app.introspect(live.access_token()).await, json!({"active": false}));
    app.refresh(live.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
}

#[tokio::test]
async fn the_metadata_names_both_types_and_a_client_is_shown_with_its_own() {
    let server = Server::start().await;
    let metadata = Browser::new(&server).get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["subject_types_supported"], json!(["public", "pairwise"]));
    let shown = |app: &RelyingParty| {
        let shown = server.cli(&["client", "show", &app.client_id]);
        (shown["subject_type"].clone(), shown["sector_identifier"].clone())
    };
    assert_eq!(shown(&RelyingParty::register(&server, &[])), (json!("public"), json!(null)));
    let pairwise = at_host(&server, "one.example", &[]);
    assert_eq!(shown(&pairwise), (json!("pairwise"), json!("one.example")));
    let plain = server.plain(&["client", "show", &pairwise.client_id]);
    assert!(String::from_utf8(plain.stdout).unwrap().contains("pairwise, for one.example"));
}

/// Why a command was refused.
fn refused(server: &Server, arguments: &[&str]) -> String {
    let output = server.cli_output(arguments, "");
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn several_hosts_need_a_sector_and_subjects_do_not_change_unnoticed() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let create = ["client", "create", "--name", "App", "--redirect-uri", "https://a.example/cb"];
    let second = ["--redirect-uri", "https://b.example/cb"];
    assert!(
        refused(&server, &[&create[..], &second, &PAIRWISE].concat())
            .contains("give a sector_identifier_uri")
    );
    let without_type = [&create[..], &["--sector-identifier-uri", "https://a.example/uris"]].concat();
    assert!(refused(&server, &without_type).contains("--subject-type pairwise"));

    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    let update = ["client", "update", &app.client_id];
    let becomes_pairwise = [&update[..], &PAIRWISE].concat();
    assert!(refused(&server, &becomes_pairwise).contains("--change-subjects"));
    let changed = server.cli(&[&becomes_pairwise[..], &["--change-subjects"]].concat());
    assert_eq!(changed["subject_type"], "pairwise");
    // Another host is another sector, and everything else no change of it.
    server.cli(&[&update[..], &["--name", "Renamed"]].concat());
    server.cli(
        &[
            &update[..],
            &["--redirect-uri", "https://app.example/callback", "--redirect-uri", "https://app.example/b"],
        ]
        .concat(),
    );
    let moves = [&update[..], &["--redirect-uri", "https://elsewhere.example/cb"]].concat();
    assert!(refused(&server, &moves).contains("--change-subjects"));
    let back = [&update[..], &["--subject-type", "public"]].concat();
    assert!(refused(&server, &back).contains("--change-subjects"));
    server.change_arrives().await;
    let tokens = app.sign_in(&browser, "alice", &[]).await;
    assert_eq!(id_token(&server, &app, &tokens).await["sub"].as_str().unwrap().len(), 22);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sector_of_several_hosts_lists_its_redirect_uris() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let sector = KeyServer::start().await;
    let operator = operator(&server, &sector);
    let (uri, uris) =
        (sector.uri(), ["https://app.example/callback", "https://b.example/cb", "https://c.example/cb"]);
    lists(&sector, &uris[..2]);
    let join = |app: &RelyingParty, more: &[&str]| {
        let update = ["client", "update", &app.client_id, "--subject-type", "pairwise", "--change-subjects"];
        [&update[..], &["--sector-identifier-uri", &uri], more]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let run = |arguments: &[String]| operator.json(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let one = RelyingParty::register(&server, &[]);
    let two = RelyingParty::register(&server, &["--redirect-uri", uris[1]]);
    for app in [&one, &two] {
        let changed = run(&join(app, &[]));
        assert_eq!(
            (&changed["sector_identifier"], &changed["sector_identifier_uri"]),
            (&json!("127.0.0.1"), &json!(uri))
        );
    }
    assert_eq!(sector.visits(), 2);
    server.change_arrives().await;
    let mut subjects = BTreeSet::new();
    for app in [&one, &two] {
        let tokens = app.sign_in(&Browser::new(&server), "alice", &[]).await;
        subjects.insert(id_token(&server, app, &tokens).await["sub"].to_string());
    }
    assert_eq!(subjects.len(), 1, "one sector, one person: {subjects:?}");

    // What was found there is not looked for again, what is new is, and only what is listed is registered.
    operator.json(&["client", "update", &two.client_id, "--name", "Renamed"]);
    assert_eq!(sector.visits(), 2);
    let more = ["client", "update", &two.client_id, "--redirect-uri", uris[1], "--redirect-uri", uris[2]];
    assert!(operator.refused(&more).contains("does not stand in the document"));
    assert_eq!(sector.visits(), 3);
    lists(&sector, &uris);
    assert_eq!(operator.json(&more)["redirect_uris"], json!(uris[1..]));
    assert_eq!(sector.visits(), 4);
    let (in_turn, new) = (["--redirect-uri", uris[2]], ["client", "create", "--name", "Third"]);
    let at_sector = ["--subject-type", "pairwise", "--sector-identifier-uri", &uri];
    let third = operator.json(&[&new[..], &in_turn, &at_sector].concat());
    assert_eq!(third["sector_identifier"], "127.0.0.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sector_document_is_read_within_limits_and_not_inside() {
    let server = Server::start().await;
    let (sector, goal) = (KeyServer::start().await, KeyServer::start().await);
    let operator = operator(&server, &sector);
    let create = ["client", "create", "--name", "App", "--redirect-uri", "https://app.example/cb"];
    let listed = json!(["https://app.example/cb"]).to_string();
    lists(&goal, &["https://app.example/cb"]);
    let moved = format!("302 Found\r\nLocation: {}", goal.uri());
    let huge = format!("{}{listed}", " ".repeat(70_000));
    let own = sector.uri();
    let register = |uri: &str| {
        [&create[..], &PAIRWISE, &["--sector-identifier-uri", uri]]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for (head, body, delay) in [
        // Case 76: a redirect is not followed.
        (moved.as_str(), listed.as_str(), Duration::ZERO),
        ("404 Not Found", listed.as_str(), Duration::ZERO),
        ("200 OK", "<html>", Duration::ZERO),
        ("200 OK", r#"{"redirect_uris":["https://app.example/cb"]}"#, Duration::ZERO),
        ("200 OK", r#"["https://app.example/cb", 1]"#, Duration::ZERO),
        ("200 OK", "[]", Duration::ZERO),
        ("200 OK", huge.as_str(), Duration::ZERO),
        ("200 OK", listed.as_str(), Duration::from_secs(20)),
    ] {
        sector.answers(head, body, delay);
        let started = std::time::Instant::now();
        let refused = operator.refused(&register(&own).iter().map(String::as_str).collect::<Vec<_>>());
        assert!(started.elapsed() < Duration::from_secs(12), "{head}");
        assert!(refused.contains("sector_identifier_uri"), "{head}: {refused}");
    }
    assert_eq!(goal.visits(), 0);
    // Nor is anything fetched that the operator has not listed.
    let visits = sector.visits();
    for uri in [
        goal.uri(),
        format!("https://{}/", goal.address),
        "https://169.254.169.254/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let refused = operator.refused(&register(&uri).iter().map(String::as_str).collect::<Vec<_>>());
        assert!(refused.contains("the sector_identifier_uri is refused"), "{uri}: {refused}");
    }
    assert_eq!((goal.visits(), sector.visits()), (0, visits));
    assert_eq!(server.cli(&["client", "list"]), json!([]));
}

#[tokio::test]
async fn processes_that_start_at_once_for_the_first_time_agree_about_everybody() {
    let database = std::sync::Arc::new(TestDatabase::new().await);
    let count = "SELECT count(*) FROM installation_secrets";
    let stored: i64 = sqlx::query_scalar(count).fetch_one(&mut database.sql().await).await.unwrap();
    assert_eq!(stored, 0, "nobody has started yet");
    let start = || Server::start_on(std::sync::Arc::clone(&database), Settings::default());
    let (one, two, three) = futures_util::join!(start(), start(), start());
    one.user("alice", &[]);
    let app = at_host(&one, "one.example", &[]);
    let mut subjects = BTreeSet::new();
    for server in [&one, &two, &three] {
        let tokens = app.at(server).sign_in(&Browser::new(server), "alice", &[]).await;
        subjects.insert(id_token(server, &app, &tokens).await["sub"].to_string());
    }
    assert_eq!(subjects.len(), 1, "{subjects:?}");
}
