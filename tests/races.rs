//! One-time things used many times in one moment, over two processes: nothing is used twice, nothing that was
//! acknowledged is lost, and nobody gets a 5xx.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Notify;

use crate::harness::{
    AssertingClient, Browser, ClientKey, Hit, JWT_BEARER, RelyingParty, Server, Settings, Shot, TestDatabase,
    Tokens, password_of, volley,
};

const OFFLINE: [(&str, &str); 1] = [("scope", "openid offline_access")];

/// Two processes on one database, a client that speaks to both, and Alice.
pub struct Cluster {
    pub first: Arc<Server>,
    second: Server,
    app: [RelyingParty; 2],
    browser: Browser,
}

impl Cluster {
    async fn start(settings: Settings) -> Self {
        Self::start_on(TestDatabase::new().await, settings).await
    }

    pub async fn start_on(database: TestDatabase, settings: Settings) -> Self {
        let first = Arc::new(Server::start_on(Arc::new(database), settings.clone()).await);
        let second = first.replica(settings).await;
        first.user("alice", &[]);
        let app = RelyingParty::register(&first, &[]);
        let browser = Browser::new(&first);
        Self { app: [app.clone(), app.at(&second)], second, first, browser }
    }

    async fn strict() -> Self {
        Self::start(without_window()).await
    }

    async fn sign_in(&self) -> Tokens {
        self.app[0].sign_in(&self.browser, "alice", &OFFLINE).await
    }

    /// The same form so many times at once, half of them at each process.
    async fn volley(&self, times: usize, form: &[(&str, &str)]) -> Vec<Hit> {
        let hits = volley((0..times).map(|number| Shot::new(&self.app[number % 2], "/token", form))).await;
        for hit in &hits {
            assert!(hit.status == 200 || hit.status == 400, "{} {}", hit.status, hit.body);
            assert!(hit.status == 200 || hit.json()["error"] == "invalid_grant", "{}", hit.body);
        }
        hits
    }

    async fn refresh_volley(&self, times: usize, refresh_token: &str) -> Vec<Tokens> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        tokens_of(&self.volley(times, &form).await)
    }

    /// On both processes: access tokens inactive, refresh tokens refused. Access tokens are looked at first,
    /// since a refused refresh may end by itself what should have been dead.
    async fn assert_dead<'a>(&self, tokens: impl IntoIterator<Item = &'a Tokens> + Clone) {
        for app in &self.app {
            for tokens in tokens.clone() {
                let answer = app.introspect(tokens.access_token()).await;
                assert_eq!(answer, json!({"active": false}));
            }
        }
        for app in &self.app {
            for tokens in tokens.clone() {
                app.refresh(tokens.refresh_token(), &[]).await.assert_refused(400, "invalid_grant");
            }
        }
    }

    /// Refreshes without pause; amid that `end` begins, `delay` after the first answers. Whatever came of it,
    /// nothing lives when it has answered.
    async fn assert_ends_for_good(&self, tokens: Tokens, delay: u64, end: impl Future<Output = ()>) {
        let (has_begun, has_ended) = (Notify::new(), Cell::new(false));
        let end = async {
            has_begun.notified().await;
            tokio::time::sleep(Duration::from_millis(delay)).await;
            end.await;
            has_ended.set(true);
        };
        let refresh = async {
            let mut seen = vec![tokens];
            while !has_ended.get() {
                let newest = seen.last().unwrap().refresh_token().to_owned();
                let given = self.refresh_volley(8, &newest).await;
                let successors: BTreeSet<_> = given.iter().map(Tokens::refresh_token).collect();
                assert!(successors.len() <= 1, "a family with two heads");
                seen.extend(given);
                has_begun.notify_one();
            }
            seen
        };
        let ((), seen) = tokio::join!(end, refresh);
        // The newest first: an old one would end the family by itself.
        self.assert_dead(seen.iter().rev()).await;
    }
}

/// Settings with which any second use of a refresh token is theft.
pub fn without_window() -> Settings {
    Settings::default().with("GRANTOR_TOKENS_REFRESH_REUSE_WINDOW", "0s")
}

fn tokens_of(hits: &[Hit]) -> Vec<Tokens> {
    hits.iter().filter(|hit| hit.status == 200).map(|hit| Tokens(hit.json())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_a_hundred_redemptions_of_a_code_wins_and_what_it_got_ends() {
    redemptions(&Cluster::start(Settings::default()).await).await;
}

pub async fn redemptions(cluster: &Cluster) {
    // Case 27, and case 26 for the winner's tokens.
    for round in 0..4 {
        let (code, verifier) = cluster.app[0].code(&cluster.browser, "alice", &OFFLINE).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("code_verifier", &verifier),
            ("redirect_uri", &cluster.app[0].redirect_uri),
        ];
        let won = tokens_of(&cluster.volley(100, &form).await);
        assert_eq!(won.len(), 1, "round {round}");
        cluster.assert_dead(&won).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_refreshes_at_once_all_get_the_same_successor() {
    refreshes(&Cluster::start(Settings::default()).await).await;
}

pub async fn refreshes(cluster: &Cluster) {
    let mut newest = cluster.sign_in().await;
    // Case 38 with a window.
    for round in 0..4 {
        let given = cluster.refresh_volley(100, newest.refresh_token()).await;
        assert_eq!(given.len(), 100, "round {round}");
        let successors: BTreeSet<_> = given.iter().map(Tokens::refresh_token).collect();
        assert_eq!(successors.len(), 1, "round {round}");
        assert!(!successors.contains(newest.refresh_token()));
        // The grant lives: every one of the access tokens, on both processes.
        for (tokens, app) in given.iter().zip(cluster.app.iter().cycle()) {
            assert_eq!(app.introspect(tokens.access_token()).await["active"], true);
        }
        let jtis: BTreeSet<_> = given.iter().map(|tokens| tokens.claims()["jti"].to_string()).collect();
        assert_eq!(jtis.len(), 100);
        // And the successor works.
        newest = cluster.app[round % 2].refresh(given[0].refresh_token(), &[]).await.tokens();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_lets_one_of_a_hundred_refreshes_win_and_ends_the_grant() {
    strict_refreshes(&Cluster::strict().await).await;
}

pub async fn strict_refreshes(cluster: &Cluster) {
    // Case 38, strict.
    for round in 0..4 {
        let tokens = cluster.sign_in().await;
        let won = cluster.refresh_volley(100, tokens.refresh_token()).await;
        assert_eq!(won.len(), 1, "round {round}");
        cluster.assert_dead(won.iter().chain([&tokens])).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rotation_a_hundred_refreshes_all_succeed() {
    let cluster = Cluster::strict().await;
    let app = RelyingParty::register(&cluster.first, &["--rotate-refresh-tokens", "false"]);
    let tokens = app.sign_in(&cluster.browser, "alice", &OFFLINE).await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token())];
    let hits = volley((0..100).map(|_| Shot::new(&app, "/token", &form))).await;
    let given = tokens_of(&hits);
    assert_eq!(given.len(), 100, "{:?}", hits.iter().find(|hit| hit.status != 200));
    assert!(given.iter().all(|given| given.refresh_token() == tokens.refresh_token()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_amid_refreshes_is_final() {
    let cluster = Cluster::start(Settings::default()).await;
    for round in 0..12 {
        let tokens = cluster.sign_in().await;
        let (refresh_token, revoker) = (tokens.refresh_token().to_owned(), cluster.app[round % 2].clone());
        let revoke = async {
            assert_eq!(revoker.revoke(&refresh_token).await.status, 200);
        };
        // It arrives at another moment of the refreshes in each round.
        cluster.assert_ends_for_good(tokens, round as u64, revoke).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_amid_refreshes_is_final() {
    let cluster = Cluster::start(Settings::default()).await;
    for round in 0..6 {
        let browser = Browser::new(&cluster.first);
        let tokens = cluster.app[0].sign_in(&browser, "alice", &[]).await;
        let page = browser.get("/sign-out").await;
        let sign_out = async {
            assert_eq!(browser.submit(&page, &[]).await.status, 200);
        };
        cluster.assert_ends_for_good(tokens, round, sign_out).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disabling_a_person_amid_refreshes_is_final() {
    let cluster = Cluster::start(Settings::default()).await;
    for name in ["bob", "carol", "dave"] {
        cluster.first.user(name, &[]);
        let tokens = cluster.app[0].sign_in(&Browser::new(&cluster.first), name, &OFFLINE).await;
        let server = Arc::clone(&cluster.first);
        let disable = async {
            let disable = move || server.cli(&["user", "disable", name]);
            tokio::task::spawn_blocking(disable).await.unwrap();
        };
        cluster.assert_ends_for_good(tokens, 0, disable).await;
        // Nor does it come back with the person.
        cluster.first.cli(&["user", "enable", name]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reuse_amid_refreshes_leaves_nothing_alive() {
    let cluster = Cluster::start(Settings::default()).await;
    for round in 0..6 {
        let first = cluster.sign_in().await;
        let second = cluster.app[0].refresh(first.refresh_token(), &[]).await.tokens();
        let third = cluster.app[1].refresh(second.refresh_token(), &[]).await.tokens();
        let stolen = first.refresh_token().to_owned();
        let reuse = async {
            cluster.app[1].refresh(&stolen, &[]).await.assert_refused(400, "invalid_grant");
        };
        cluster.assert_ends_for_good(third, round, reuse).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_and_the_end_of_its_session_race_without_a_survivor() {
    let cluster = Cluster::start(Settings::default()).await;
    for _ in 0..6 {
        let browser = Browser::new(&cluster.first);
        let (code, verifier) = cluster.app[0].code(&browser, "alice", &[]).await;
        let page = browser.get("/sign-out").await;
        let (redeemed, signed_out) =
            tokio::join!(cluster.app[1].redeem(&code, &verifier, &[]), browser.submit(&page, &[]));
        assert_eq!(signed_out.status, 200);
        match redeemed.status.as_u16() {
            200 => cluster.assert_dead(&[redeemed.tokens()]).await,
            _ => redeemed.assert_refused(400, "invalid_grant"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_twenty_uses_of_a_set_password_link_wins() {
    let cluster = Cluster::start(Settings::default()).await;
    let tokens = cluster.sign_in().await;
    let link =
        cluster.first.cli(&["user", "set-password", "alice", "--link"])["link"].as_str().unwrap().to_owned();
    let browser = Browser::new(&cluster.first);
    let page = browser.get(&link).await;
    let passwords: Vec<String> = (0..20).map(|number| format!("password number {number}")).collect();

    let answers = join_all(passwords.iter().map(async |password| {
        let fields = [("new_password", password.as_str()), ("new_password_again", password.as_str())];
        browser.submit(&page, &fields).await
    }))
    .await;

    let won: Vec<usize> = (0..20).filter(|number| answers[*number].status == 200).collect();
    assert_eq!(won.len(), 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.status == 400));
    // The winner's password is the one, and what the old one had given is gone.
    let candidates = [passwords[won[0]].clone(), passwords[(won[0] + 1) % 20].clone(), password_of("alice")];
    for (password, status) in candidates.iter().zip([303, 422, 422]) {
        let browser = Browser::new(&cluster.first);
        let page = browser.get("/sign-in").await;
        let answer = browser.submit(&page, &[("username", "alice"), ("password", password)]).await;
        assert_eq!(answer.status, status, "{password}");
    }
    cluster.assert_dead(&[tokens]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_fifty_uses_of_an_assertion_wins() {
    let cluster = Cluster::start(Settings::default()).await;
    let app = AssertingClient::register(&cluster.first, ClientKey::p256(), &[]);
    let parties = [app.party.clone(), app.party.at(&cluster.second)];
    // Case 50.
    for round in 0..4 {
        let assertion = app.signed();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", &assertion),
        ];
        let hits = volley((0..50).map(|number| Shot::new(&parties[number % 2], "/token", &form))).await;
        assert_eq!(tokens_of(&hits).len(), 1, "round {round}");
        for hit in hits.iter().filter(|hit| hit.status != 200) {
            assert_eq!(
                (hit.status.as_u16(), &hit.json()["error"]),
                (401, &json!("invalid_client")),
                "{}",
                hit.body
            );
        }
    }
}
