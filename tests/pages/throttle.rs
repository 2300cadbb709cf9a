//! Guessing passwords gets slow, and only for the one who guesses.

use crate::harness::{Answer, Browser, Server, Settings, password_of};

async fn behind_a_proxy() -> Server {
    let settings = Settings::default().with("GRANTOR_SERVER_TRUSTED_PROXIES", "127.0.0.1");
    let server = Server::start_with(settings).await;
    server.user("alice", &[]);
    server
}

async fn attempt(browser: &Browser, name: &str, password: &str) -> Answer {
    let page = browser.get("/sign-in").await;
    browser.submit(&page, &[("username", name), ("password", password)]).await
}

#[tokio::test]
async fn forty_wrong_passwords_are_refused_and_the_account_stays_open_to_its_owner() {
    let server = behind_a_proxy().await;
    let guesser = Browser::from_address(&server, "203.0.113.7");
    // Case 64: the name's case is no way around.
    let mut refused = 0;
    for guess in 0..40 {
        let name = if guess % 2 == 0 { "alice" } else { "ALICE" };
        let answer = attempt(&guesser, name, &format!("guess {guess}")).await;
        if answer.status == 429 {
            refused += 1;
            let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=900).contains(&seconds), "{seconds}");
            assert!(answer.has_id("login-submit"));
        }
    }
    assert!(refused >= 30, "only {refused} of 40 guesses were refused");
    // Not even the right one counts there now, or guessing would go on.
    assert_eq!(attempt(&guesser, "alice", &password_of("alice")).await.status, 429);
    // It is no way to lock Alice out.
    let alice = Browser::from_address(&server, "198.51.100.1");
    assert_eq!(attempt(&alice, "alice", &password_of("alice")).await.status, 303);
    // What the guesser sends along in front of the proxy's own word counts for nothing.
    let lying = Browser::from_address(&server, "198.51.100.1, 203.0.113.7");
    assert_eq!(attempt(&lying, "alice", "guess").await.status, 429);
}

#[tokio::test]
async fn five_attempts_are_free_and_the_first_wait_is_short() {
    let server = behind_a_proxy().await;
    let guesser = Browser::from_address(&server, "203.0.113.8");
    for guess in 1..=5 {
        assert_eq!(attempt(&guesser, "alice", "guess").await.status, 422, "guess {guess}");
    }
    let refused = attempt(&guesser, "alice", "guess").await;
    assert_eq!(refused.status, 429);
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds <= 3, "{seconds}");
}

#[tokio::test]
async fn who_is_refused_at_one_account_does_not_make_the_others_behind_the_address_wait() {
    let server = behind_a_proxy().await;
    server.user("bob", &[]);
    let office = Browser::from_address(&server, "203.0.113.9");
    for _ in 0..70 {
        attempt(&office, "alice", "guess").await;
    }
    assert_eq!(attempt(&office, "bob", &password_of("bob")).await.status, 303);
}

#[tokio::test]
async fn a_network_of_ipv6_is_one_address() {
    let server = behind_a_proxy().await;
    let mut last = None;
    for host in 0..9 {
        let guesser = Browser::from_address(&server, &format!("2001:db8:1:2::{host:x}"));
        last = Some(attempt(&guesser, "alice", "guess").await.status.as_u16());
    }
    assert_eq!(last, Some(429));
    let elsewhere = Browser::from_address(&server, "2001:db8:1:3::1");
    assert_eq!(attempt(&elsewhere, "alice", "guess").await.status, 422);
}

#[tokio::test]
async fn signing_in_forgets_earlier_mistakes() {
    let server = behind_a_proxy().await;
    for _ in 0..3 {
        let alice = Browser::from_address(&server, "198.51.100.1");
        for _ in 0..4 {
            assert_eq!(attempt(&alice, "alice", "mistake").await.status, 422);
        }
        assert_eq!(attempt(&alice, "alice", &password_of("alice")).await.status, 303);
    }
}

#[tokio::test]
async fn without_a_trusted_proxy_nobody_chooses_an_address() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let mut last = None;
    for guess in 0..9 {
        let guesser = Browser::from_address(&server, &format!("203.0.113.{guess}"));
        last = Some(attempt(&guesser, "alice", "guess").await.status.as_u16());
    }
    assert_eq!(last, Some(429));
}

#[tokio::test]
async fn trying_many_names_from_one_address_gets_slow_too() {
    let server = behind_a_proxy().await;
    let guesser = Browser::from_address(&server, "203.0.113.7");
    let page = guesser.get("/sign-in").await;
    let mut refused = 0;
    for number in 0..60 {
        let name = format!("person{number}");
        let answer = guesser.submit(&page, &[("username", &name), ("password", "Spring2026!")]).await;
        refused += usize::from(answer.status == 429);
    }
    assert!((5..=15).contains(&refused), "{refused} of 60 were refused");
}
