//! Guessing passwords gets slow, and only for the one who guesses.

use futures_util::future::join_all;

use crate::harness::{Answer, Browser, Server, Settings, Shot, password_of, volley};

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

#[tokio::test]
async fn who_is_known_signs_in_while_somebody_guesses_beside_and_everywhere() {
    let server = behind_a_proxy().await;
    let (home, browser) = ("198.51.100.1", Browser::from_address(&server, "198.51.100.1"));
    let sign_in = async |browser: &Browser| {
        let status = attempt(browser, "alice", &password_of("alice")).await.status;
        if status == 303 {
            browser.submit(&browser.get("/sign-out").await, &[]).await;
        }
        status
    };
    assert_eq!(sign_in(&browser).await, 303);

    // Somebody at home guesses: that keeps others there waiting, and not her own browser.
    let beside = Browser::from_address(&server, home);
    while attempt(&beside, "alice", "guess").await.status != 429 {}
    assert_eq!(sign_in(&beside).await, 429);
    assert_eq!(sign_in(&browser).await, 303);

    // Guessing from everywhere gets slow for everybody who is a stranger to the account.
    let mut guesses = 0;
    let mut strangers = (1..).map(|host| Browser::from_address(&server, &format!("203.0.113.{host}")));
    let refused = loop {
        let stranger = strangers.next().unwrap();
        let answers = join_all((0..4).map(|_| attempt(&stranger, "ＡＬＩＣＥ", "guess"))).await;
        guesses += answers.iter().filter(|answer| answer.status == 422).count();
        if let Some(refused) = answers.into_iter().find(|answer| answer.status == 429) {
            break refused;
        }
    };
    assert!((40..=52).contains(&guesses), "{guesses}");
    assert!(refused.text_of(".problem").contains("To keep the account safe"), "{}", refused.body);
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds <= 60, "{seconds}");
    // Others are none of it, and Alice is known in this browser, and in the other network that she has used.
    let office = Browser::from_address(&server, "192.0.2.1");
    server.database.execute("UPDATE sign_in_throttle SET blocked_until = '-infinity'").await;
    assert_eq!(sign_in(&office).await, 303);
    server
        .database
        .execute(
            "UPDATE sign_in_throttle SET blocked_until = now() + interval '1 minute' WHERE attempts > 40",
        )
        .await;
    assert_eq!(sign_in(&Browser::from_address(&server, "192.0.2.2")).await, 429, "a stranger waits");
    assert_eq!(sign_in(&Browser::from_address(&server, "192.0.2.1")).await, 303, "in a known network");
    assert_eq!(sign_in(&browser).await, 303, "in a known browser");
    server.user("bob", &[]);
    assert_eq!(attempt(&strangers.next().unwrap(), "bob", &password_of("bob")).await.status, 303);
}

#[tokio::test]
async fn who_tries_many_names_keeps_nobody_waiting_who_is_known_in_the_network() {
    let server = behind_a_proxy().await;
    server.user("bob", &[]);
    let office = || Browser::from_address(&server, "198.51.100.1");
    assert_eq!(attempt(&office(), "alice", &password_of("alice")).await.status, 303);
    let guesser = office();
    let page = guesser.get("/sign-in").await;
    let mut number = 0..;
    let tried = async |number: i32| {
        guesser.submit(&page, &[("username", &format!("person{number}")), ("password", "guess")]).await.status
    };
    while tried(number.next().unwrap()).await != 429 {}
    for _ in 0..3 {
        assert_eq!(attempt(&office(), "alice", &password_of("alice")).await.status, 303);
        assert_eq!(attempt(&office(), "bob", &password_of("bob")).await.status, 429, "a stranger waits");
    }
    // Nobody learns who has signed in from here: who guesses at a known name waits like the others.
    let wrong = [attempt(&office(), "alice", "guess").await, attempt(&office(), "bob", "guess").await];
    assert!(wrong.iter().all(|answer| answer.status == 429));
    assert_eq!(wrong[0].text_of(".problem"), wrong[1].text_of(".problem"));
}

#[tokio::test]
async fn a_known_browser_has_its_own_mistakes_to_wait_for() {
    let server = behind_a_proxy().await;
    let browser = Browser::from_address(&server, "198.51.100.1");
    assert_eq!(attempt(&browser, "alice", &password_of("alice")).await.status, 303);
    browser.submit(&browser.get("/sign-out").await, &[]).await;
    for _ in 0..5 {
        assert_eq!(attempt(&browser, "alice", "guess").await.status, 422);
    }
    assert_eq!(attempt(&browser, "alice", &password_of("alice")).await.status, 429);
    // It is known for her alone.
    server.user("bob", &[]);
    for _ in 0..5 {
        assert_eq!(attempt(&browser, "bob", "guess").await.status, 422);
    }
    let beside = Browser::from_address(&server, "198.51.100.1");
    assert_eq!(attempt(&beside, "bob", &password_of("bob")).await.status, 429);
}

#[tokio::test]
async fn a_hundred_guesses_at_once_on_two_processes_are_no_more_than_those_that_are_free() {
    // Enough threads that each of them finds a place in the queue.
    let settings = || Settings::default().with("GRANTOR_PASSWORDS_THREADS", "4");
    let server = Server::start_with(settings()).await;
    server.user("alice", &[]);
    let replica = server.replica(settings()).await;
    let hits = volley(a_hundred_guesses(&server, [&server, &replica], "alice").await).await;
    let tried = hits.iter().filter(|hit| hit.status == 422).count();
    let refused = hits.iter().filter(|hit| hit.status == 429).count();
    assert_eq!((tried, refused), (5, 95));
}

/// The same form a hundred times, for these processes by turns.
async fn a_hundred_guesses(server: &Server, processes: [&Server; 2], name: &str) -> Vec<Shot> {
    let cookie = "c".repeat(43);
    // The form's token is bound to the cookie; the same form serves all processes.
    let page = Browser::new(server).request(reqwest::Method::GET, "/sign-in");
    let page = page.header("cookie", format!("grantor_csrf={cookie}")).send().await.unwrap();
    let csrf = Answer::read(page).await.attribute("[name=csrf]", "value").unwrap();
    let host = server.issuer.strip_prefix("http://").unwrap();
    let apps = processes.map(|server| Browser::new(server).address().to_owned());
    let shot = |number: usize| {
        let form = [("csrf", csrf.as_str()), ("username", name), ("password", "guess")];
        let cookie = format!("grantor_csrf={cookie}");
        Shot::of_browser(&apps[number % 2], host, "/sign-in", &cookie, &form)
    };
    (0..100).map(shot).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_to_wait_takes_nobodys_place() {
    let server = Server::start_with(Settings::default().with("GRANTOR_PASSWORDS_THREADS", "1")).await;
    server.user("alice", &[]);
    server.user("bob", &[]);
    let alice = Browser::new(&server);
    assert_eq!(attempt(&alice, "alice", &password_of("alice")).await.status, 303);
    alice.submit(&alice.get("/sign-out").await, &[]).await;
    let guesser = Browser::new(&server);
    while attempt(&guesser, "bob", "guess").await.status != 429 {}
    for _ in 0..3 {
        let shots = a_hundred_guesses(&server, [&server, &server], "bob").await;
        let page = alice.get("/sign-in").await;
        let fields = [("username", "alice"), ("password", &password_of("alice"))];
        let (hits, signed_in) = tokio::join!(volley(shots), alice.submit(&page, &fields));
        assert_eq!(signed_in.status, 303);
        assert!(hits.iter().all(|hit| hit.status == 429), "{hits:?}");
        alice.submit(&alice.get("/sign-out").await, &[]).await;
    }
}
