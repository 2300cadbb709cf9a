//! What takes an approval back is final from the moment of its answer: over two processes, with many refreshes in
//! flight, none that begins afterwards succeeds, and no token that was ever given is active (case 43).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use sqlx::Connection;

use crate::harness::{Answer, Browser, RelyingParty, Server, Settings, Tokens, password_of};

const OFFLINE: [(&str, &str); 1] = [("scope", "openid offline_access")];
const IN_FLIGHT: usize = 12;

/// Two processes and clients that speak to both; each scene has a person of its own.
struct Stage {
    servers: [Arc<Server>; 2],
    watcher: [RelyingParty; 2],
}

/// A family and everybody who may end it.
struct Scene {
    app: [RelyingParty; 2],
    browser: Browser,
    person: String,
    tokens: Tokens,
}

/// What somebody has seen of a refresh.
struct Seen {
    began: Instant,
    answer: Answer,
}

impl Stage {
    async fn start() -> Self {
        let first = Server::start_with(Settings::default()).await;
        let second = first.replica(Settings::default()).await;
        let watcher = RelyingParty::register(&first, &["--resource-server", &first.issuer]);
        let watcher = [watcher.clone(), watcher.at(&second)];
        Self { servers: [Arc::new(first), Arc::new(second)], watcher }
    }

    async fn scene(&self, scope: &[(&str, &str)], registration: &[&str]) -> Scene {
        static PEOPLE: AtomicUsize = AtomicUsize::new(0);
        let person = format!("person{}", PEOPLE.fetch_add(1, Ordering::Relaxed));
        let [first, second] = &self.servers;
        first.user(&person, &[]);
        let app = RelyingParty::register(first, registration);
        let browser = Browser::new(first);
        let tokens = app.sign_in(&browser, &person, scope).await;
        Scene { app: [app.clone(), app.at(second)], browser, person, tokens }
    }

    async fn cli(&self, arguments: &[&str], input: &str) {
        let server = Arc::clone(&self.servers[0]);
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let input = input.to_owned();
        let run =
            move || server.cli_output(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), &input);
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Refreshes without pause while `end` is under way, and some time longer.
    async fn assert_final(&self, scene: &Scene, delay: u64, end: impl Future<Output = ()>) {
        let is_over = AtomicBool::new(false);
        let newest = Mutex::new(scene.tokens.refresh_token().to_owned());
        let storm = (0..IN_FLIGHT).map(async |number| {
            let mut seen = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let token = newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let began = Instant::now();
                let answer = scene.app[number % 2].refresh(&token, &[]).await;
                if answer.status == 200 {
                    // Whoever comes late must not bring an old one back: that would be a theft.
                    let mut newest = newest.lock().unwrap_or_else(PoisonError::into_inner);
                    if *newest == token {
                        *newest = answer.tokens().refresh_token().to_owned();
                    }
                }
                seen.push(Seen { began, answer });
            }
            seen
        });
        let ending = async {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            end.await;
            let answered = Instant::now();
            // Of all that was given up to now nothing is active, while refreshes are still under way.
            for watcher in &self.watcher {
                assert_eq!(watcher.introspect(scene.tokens.access_token()).await, json!({"active": false}));
            }
            tokio::time::sleep(Duration::from_millis(60)).await;
            is_over.store(true, Ordering::Relaxed);
            answered
        };
        let (seen, answered) = tokio::join!(join_all(storm), ending);
        let seen: Vec<Seen> = seen.into_iter().flatten().collect();
        let late: Vec<&Seen> = seen.iter().filter(|seen| seen.began > answered).collect();
        assert!(late.len() >= IN_FLIGHT, "{} of {}", late.len(), seen.len());
        for Seen { answer, .. } in late {
            assert!([400, 401].contains(&answer.status.as_u16()), "{} {}", answer.status, answer.body);
        }
        assert!(seen.iter().all(|seen| seen.answer.status.as_u16() < 500), "nobody is failed by a race");
        self.assert_nothing_is_active(scene, seen).await;
    }

    /// Also what was in flight when the end was answered, and arrived later.
    async fn assert_nothing_is_active(&self, scene: &Scene, seen: Vec<Seen>) {
        let given = seen.iter().filter(|seen| seen.answer.status == 200).map(|seen| seen.answer.tokens());
        for (number, tokens) in given.chain([scene.tokens.clone()]).enumerate() {
            let watcher = &self.watcher[number % 2];
            assert_eq!(watcher.introspect(tokens.access_token()).await, json!({"active": false}));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_is() {
    let stage = Stage::start().await;
    for (round, registration) in
        [&[][..], &["--public"], &["--rotate-refresh-tokens", "false"], &[]].into_iter().enumerate()
    {
        let scene = stage.scene(&OFFLINE, registration).await;
        let revoke = async {
            // The first generation, long replaced, names the grant as well as any.
            let answer = scene.app[round % 2].revoke(scene.tokens.refresh_token()).await;
            assert_eq!(answer.status, 200);
        };
        stage.assert_final(&scene, 20 * round as u64, revoke).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_is() {
    let stage = Stage::start().await;
    for registration in [&[][..], &["--rotate-refresh-tokens", "false"]] {
        let scene = stage.scene(&[], registration).await;
        let page = scene.browser.get("/sign-out").await;
        let sign_out = async {
            assert!(scene.browser.submit(&page, &[]).await.has_id("logout-done"));
        };
        stage.assert_final(&scene, 30, sign_out).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disabling_or_deleting_the_person_is() {
    let stage = Stage::start().await;
    for command in ["disable", "delete"] {
        let scene = stage.scene(&OFFLINE, &[]).await;
        stage.assert_final(&scene, 0, stage.cli(&["user", command, &scene.person], "")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_consent_back_is() {
    let stage = Stage::start().await;
    for registration in [&[][..], &["--rotate-refresh-tokens", "false"]] {
        let scene = stage.scene(&OFFLINE, registration).await;
        let page =
            scene.browser.get(&format!("/account/apps/withdraw?client_id={}", scene.app[0].client_id)).await;
        let take_back = async {
            assert_eq!(scene.browser.submit(&page, &[]).await.status, 200);
        };
        stage.assert_final(&scene, 40, take_back).await;

        // By an operator, and the person agrees again: what was given before stays dead.
        let scene = stage.scene(&OFFLINE, registration).await;
        let command = ["consent", "withdraw", &scene.person, &scene.app[0].client_id];
        stage.assert_final(&scene, 0, stage.cli(&command, "")).await;
        scene.app[0].sign_in(&scene.browser, &scene.person, &OFFLINE).await;
        stage.assert_nothing_is_active(&scene, Vec::new()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_a_session_from_elsewhere_is() {
    let stage = Stage::start().await;
    for registration in [&[][..], &["--rotate-refresh-tokens", "false"]] {
        let scene = stage.scene(&[], registration).await;
        let elsewhere = Browser::new(&stage.servers[0]);
        elsewhere.sign_in(&scene.person).await;
        let page = elsewhere.get("/account/sessions").await;
        let end = async {
            assert_eq!(elsewhere.submit(&page, &[("everywhere_else", "yes")]).await.status, 200);
        };
        stage.assert_final(&scene, 30, end).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disabling_or_deleting_the_client_is() {
    let stage = Stage::start().await;
    for command in [&["client", "update"][..], &["client", "delete"]] {
        let scene = stage.scene(&OFFLINE, &[]).await;
        let mut arguments = [command, &[&scene.app[0].client_id]].concat();
        if command[1] == "update" {
            arguments.push("--disable");
        }
        stage.assert_final(&scene, 0, stage.cli(&arguments, "")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_is_whoever_sets_it() {
    let stage = Stage::start().await;
    let by_operator = stage.scene(&OFFLINE, &[]).await;
    let command = ["user", "set-password", &by_operator.person, "--password-stdin"];
    stage.assert_final(&by_operator, 0, stage.cli(&command, "another horse entirely\n")).await;

    let by_herself = stage.scene(&OFFLINE, &[]).await;
    let page = by_herself.browser.get("/password").await;
    let (old, new) = (password_of(&by_herself.person), "another horse entirely");
    let fields = [("current_password", &*old), ("new_password", new), ("new_password_again", new)];
    let change = async {
        assert_eq!(by_herself.browser.submit(&page, &fields).await.status, 200);
    };
    stage.assert_final(&by_herself, 20, change).await;
}

/// The write's own guard: the row is held while a revocation, or a consent that is taken back, and then a refresh,
/// which has looked, wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_looked_before_a_revocation_and_writes_after_it_is_refused() {
    let stage = Stage::start().await;
    for (registration, by_consent) in [
        (&[][..], false),
        (&["--rotate-refresh-tokens", "false"], false),
        (&[], true),
        (&["--rotate-refresh-tokens", "false"], true),
    ] {
        let scene = stage.scene(&OFFLINE, registration).await;
        let token = scene.tokens.refresh_token();
        let mut sql = stage.servers[0].database.sql().await;
        let mut holding = sql.begin().await.unwrap();
        let hold = "SELECT FROM grants WHERE client_id = $1 FOR UPDATE";
        sqlx::query(hold).bind(&scene.app[0].client_id).execute(&mut *holding).await.unwrap();
        let pause = || tokio::time::sleep(Duration::from_millis(300));
        let late_refresh = async {
            pause().await;
            scene.app[1].refresh(token, &[]).await
        };
        let release = async {
            pause().await;
            pause().await;
            holding.rollback().await.unwrap();
        };
        let page =
            scene.browser.get(&format!("/account/apps/withdraw?client_id={}", scene.app[0].client_id)).await;
        let end = async {
            if by_consent { scene.browser.submit(&page, &[]).await } else { scene.app[0].revoke(token).await }
        };
        let (ended, refreshed, ()) = tokio::join!(end, late_refresh, release);
        assert_eq!(ended.status, 200);
        refreshed.assert_refused(400, "invalid_grant");
    }
}
