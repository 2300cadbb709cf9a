//! Where a person is signed in: seen, recognized, ended.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Browser, RelyingParty, Server, Settings};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                      Version/18.6 Mobile/15E148 Safari/604.1";

async fn server() -> Server {
    let server =
        Server::start_with(Settings::default().with("GRANTOR_SERVER_TRUSTED_PROXIES", "127.0.0.1")).await;
    server.user("alice", &[]);
    server
}

/// Signed in with this browser from this address.
async fn signed_in(server: &Server, name: &str, user_agent: &str, address: &str) -> Browser {
    let headers =
        [("x-forwarded-for", address)].map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let browser = Browser::with(server, |settings| {
        settings.user_agent(user_agent).default_headers(headers.into_iter().collect())
    });
    browser.sign_in(name).await;
    browser
}

/// The identifiers of the sessions that can be ended, as the page lists them.
fn ends(page: &Answer) -> Vec<String> {
    let document = scraper::Html::parse_document(&page.body);
    let buttons = scraper::Selector::parse("button[name=session]").unwrap();
    document.select(&buttons).map(|button| button.attr("value").unwrap().to_owned()).collect()
}

fn entries(page: &Answer) -> Vec<String> {
    let document = scraper::Html::parse_document(&page.body);
    let entries = scraper::Selector::parse(".entries > li").unwrap();
    let text = |entry: scraper::ElementRef<'_>| entry.text().collect::<String>();
    document
        .select(&entries)
        .map(|entry| text(entry).split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/account").await.status == 200
}

#[tokio::test]
async fn each_is_told_in_words_and_this_one_stands_first() {
    let server = server().await;
    let phone = signed_in(&server, "alice", IPHONE, "2001:db8::7").await;
    let desk = signed_in(&server, "alice", FIREFOX, "203.0.113.9").await;
    signed_in(&server, "alice", "curl/8.5.0", "203.0.113.10").await;

    for (browser, this, others) in [
        (&desk, "Firefox on Linux", ["Unknown device", "Safari on an iPhone"]),
        (&phone, "Safari on an iPhone", ["Unknown device", "Firefox on Linux"]),
    ] {
        let page = browser.get("/account/sessions").await;
        let entries = entries(&page);
        assert_eq!(entries.len(), 3, "{entries:?}");
        assert!(entries[0].starts_with(&format!("{this} This browser Last used")), "{entries:?}");
        assert!(
            entries.iter().zip([this, others[0], others[1]]).all(|(entry, device)| entry.starts_with(device))
        );
        assert!(
            entries.iter().all(|entry| entry.contains("Signed in in the last few minutes")),
            "{entries:?}"
        );
        assert!(entries.iter().all(|entry| entry.contains(" UTC")), "{entries:?}");
        let desk_entry = entries.iter().find(|entry| entry.starts_with("Firefox")).unwrap();
        assert!(desk_entry.contains("203.0.113.9"), "{desk_entry}");
        assert!(page.body.contains("2001:db8::7"));
        assert_eq!(ends(&page).len(), 2, "this one is ended by signing out");
    }
}

#[tokio::test]
async fn any_is_ended_at_once_with_what_hangs_on_it() {
    let server = server().await;
    let app = RelyingParty::register(&server, &[]);
    let here = signed_in(&server, "alice", FIREFOX, "203.0.113.9").await;
    let lost = signed_in(&server, "alice", IPHONE, "203.0.113.8").await;
    let tied = app.sign_in(&lost, "alice", &[]).await;
    let kept = app.sign_in(&lost, "alice", &[("scope", "openid offline_access")]).await;

    let page = here.get("/account/sessions").await;
    let [id] = &ends(&page)[..] else { panic!("{}", page.body) };
    let done = here.submit(&page, &[("session", id)]).await;
    assert_eq!(
        (done.status.as_u16(), done.text_of("#outcome").as_str()),
        (200, "Done: that browser is signed out.")
    );
    assert_eq!(entries(&done).len(), 1);
    assert!(!is_signed_in(&lost).await && is_signed_in(&here).await);
    assert_eq!(app.introspect(tied.access_token()).await, json!({"active": false}));
    app.refresh(tied.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
    // As the page says: what may be used while she is away goes on, and is taken back elsewhere.
    app.refresh(kept.refresh_token(), &[]).await.tokens();

    let again = here.submit(&page, &[("session", id)]).await;
    assert_eq!(again.text_of("#outcome"), "That browser had been signed out already.");
    for junk in ["", "x", "00000000-0000-0000-0000-000000000000", "' OR 1=1 --"] {
        let answer = here.submit(&page, &[("session", junk)]).await;
        assert_eq!((answer.status.as_u16(), entries(&answer).len()), (200, 1), "{junk}");
    }
}

#[tokio::test]
async fn everywhere_else_is_everywhere_but_here() {
    let server = server().await;
    let here = signed_in(&server, "alice", FIREFOX, "203.0.113.9").await;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(signed_in(&server, "alice", IPHONE, "203.0.113.8").await);
    }
    let page = here.get("/account/sessions").await;
    assert!(page.has_id("end-others"));
    let done = here.submit(&page, &[("everywhere_else", "yes")]).await;
    assert_eq!(done.text_of("#outcome"), "Done: you are signed out everywhere else.");
    assert!(entries(&done).len() == 1 && !done.has_id("end-others"));
    assert!(is_signed_in(&here).await);
    for other in &others {
        assert!(!is_signed_in(other).await);
    }
}

#[tokio::test]
async fn nobody_sees_or_ends_the_sessions_of_others() {
    let server = server().await;
    server.user("mallory", &[]);
    let alice = signed_in(&server, "alice", FIREFOX, "203.0.113.9").await;
    let second = signed_in(&server, "alice", IPHONE, "203.0.113.8").await;
    let mallory = signed_in(&server, "mallory", IPHONE, "198.51.100.6").await;
    let shown_to_alice = alice.get("/account/sessions").await;
    let shown_to_mallory = mallory.get("/account/sessions").await;
    assert_eq!((entries(&shown_to_alice).len(), entries(&shown_to_mallory).len()), (2, 1));
    assert!(!shown_to_mallory.body.contains("203.0.113.") && !shown_to_alice.body.contains("198.51.100."));

    // With her own form, and the identifier of a session of Alice.
    let answer = mallory.submit(&shown_to_mallory, &[("session", &ends(&shown_to_alice)[0])]).await;
    assert_eq!(answer.text_of("#outcome"), "That browser had been signed out already.");
    mallory.submit(&shown_to_mallory, &[("everywhere_else", "yes")]).await;
    assert!(is_signed_in(&alice).await && is_signed_in(&second).await);
}

#[tokio::test]
async fn only_the_own_form_ends_anything() {
    let server = server().await;
    let here = signed_in(&server, "alice", FIREFOX, "203.0.113.9").await;
    let other = signed_in(&server, "alice", IPHONE, "203.0.113.8").await;
    let page = here.get("/account/sessions").await;
    let id = &ends(&page)[0];
    // Case 60.
    let csrf_of_other = other.get("/account/sessions").await.form().1["csrf"].clone();
    let csrf_of_page = here.get("/sign-out").await.form().1["csrf"].clone();
    for csrf in ["", &csrf_of_other, &csrf_of_page] {
        for field in [("session", id.as_str()), ("everywhere_else", "yes")] {
            let answer = here.submit(&page, &[("csrf", csrf), field]).await;
            assert_eq!(answer.status, 403);
            assert!(answer.text_of("#outcome").contains("nothing was changed"), "{}", answer.body);
        }
    }
    let (_, mut form) = page.form();
    form.insert("session".to_owned(), id.clone());
    let request = here.request(Method::POST, "/account/sessions").header("sec-fetch-site", "cross-site");
    assert_eq!(request.form(&form).send().await.unwrap().status(), 403);
    assert!(is_signed_in(&other).await);
    // And looking ends nothing.
    here.get(&format!("/account/sessions?session={id}&everywhere_else=yes")).await;
    assert!(is_signed_in(&other).await);
}

#[tokio::test]
async fn what_has_ended_or_expired_is_gone_at_once() {
    let server = server().await;
    let here = signed_in(&server, "alice", FIREFOX, "203.0.113.9").await;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(signed_in(&server, "alice", IPHONE, "203.0.113.8").await);
    }
    let left = || async { ends(&here.get("/account/sessions").await) };
    let ids = left().await;
    assert_eq!(ids.len(), 3);
    for (column, id) in [("idle_expires_at", &ids[0]), ("expires_at", &ids[1])] {
        let statement = format!("UPDATE sessions SET {column} = clock_timestamp() WHERE id = '{id}'");
        assert_eq!(server.database.execute(&statement).await, 1);
    }
    assert_eq!(left().await, [ids[2].clone()]);
    for other in others {
        let page = other.get("/sign-out").await;
        if page.has_id("logout-confirm") {
            other.submit(&page, &[]).await;
        }
    }
    assert!(left().await.is_empty());
}

#[tokio::test]
async fn the_last_use_is_known_within_minutes_and_not_written_at_each() {
    let server = server().await;
    let browser = signed_in(&server, "alice", FIREFOX, "203.0.113.9").await;
    let used = |minutes: u32| {
        let statement =
            format!("UPDATE sessions SET last_seen_at = clock_timestamp() - interval '{minutes} min'");
        let database = std::sync::Arc::clone(&server.database);
        async move { database.execute(&statement).await }
    };
    for (minutes, path, is_noted) in
        [(4, "/account", false), (6, "/account", true), (6, "/", true), (60, "/password", true)]
    {
        used(minutes).await;
        let idle_end = idle_end(&server).await;
        browser.get(path).await;
        let is_recent = "SELECT last_seen_at > clock_timestamp() - interval '1 min' FROM sessions";
        let mut sql = server.database.sql().await;
        let noted: bool = sqlx::query_scalar(is_recent).fetch_one(&mut sql).await.unwrap();
        assert_eq!(noted, is_noted, "{path} after {minutes} min");
        assert_eq!(self::idle_end(&server).await, idle_end, "only an authorization keeps it alive");
    }
    // An ended one is not brought back to life.
    server
        .database
        .execute("UPDATE sessions SET ended_at = now(), last_seen_at = now() - interval '1 h'")
        .await;
    browser.get("/account").await;
    let mut sql = server.database.sql().await;
    let untouched = "SELECT last_seen_at < now() - interval '59 min' FROM sessions";
    assert!(sqlx::query_scalar::<_, bool>(untouched).fetch_one(&mut sql).await.unwrap());
}

async fn idle_end(server: &Server) -> String {
    let mut sql = server.database.sql().await;
    sqlx::query_scalar("SELECT idle_expires_at::text FROM sessions").fetch_one(&mut sql).await.unwrap()
}

#[tokio::test]
async fn a_long_list_is_cut_and_still_ended_as_a_whole() {
    let server = server().await;
    let here = signed_in(&server, "alice", FIREFOX, "203.0.113.9").await;
    let many = "INSERT INTO sessions (id, token_hash, user_id, auth_time, last_seen_at, idle_expires_at, expires_at)
                SELECT gen_random_uuid(), sha256(n::text::bytea), user_id, auth_time, now(), idle_expires_at, expires_at
                FROM sessions, generate_series(1, 60) AS n";
    assert_eq!(server.database.execute(many).await, 60);
    let page = here.get("/account/sessions").await;
    assert_eq!(entries(&page).len(), 50);
    assert!(
        entries(&page)[0].contains("This browser") && page.body.contains("There are more than these 50.")
    );
    let done = here.submit(&page, &[("everywhere_else", "yes")]).await;
    assert_eq!(entries(&done).len(), 1);
    assert!(!done.body.contains("There are more"));
}
