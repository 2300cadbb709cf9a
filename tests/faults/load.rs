//! Many clients at once, each of which gets a code, redeems it, refreshes, introspects and revokes, without end.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinSet;

use super::app::{App, Ask, Code, Tokens};
use super::checker::{Rules, Verdict, check};
use super::harness::Browser;
use super::history::Event;
use super::journal::{Journal, written};
use super::report::Report;
use super::site::Site;

/// After a request without success.
const BEFORE_RETRY: Duration = Duration::from_millis(25);

/// What the clients do.
#[derive(Clone)]
pub struct Traffic {
    pub clients: usize,
    /// Where programs send their requests, in turn. Pages are asked for at the issuer.
    pub origins: Vec<String>,
    /// Between two requests of a client.
    pub pause: Duration,
    /// Refreshes of each grant.
    pub refreshes: usize,
    /// Whether codes are raced for, and grants revoked.
    pub ends: bool,
    /// Whether access tokens are introspected before each refresh.
    pub introspects: bool,
}

impl Traffic {
    /// The usual load: a dozen clients, which leave the machine room for what it does besides.
    pub fn at(origins: Vec<String>) -> Self {
        Self {
            clients: 12,
            origins,
            pause: Duration::from_millis(5),
            refreshes: 6,
            ends: true,
            introspects: true,
        }
    }
}

/// A load that runs.
pub struct Load {
    app: App,
    traffic: Traffic,
    stopped: Arc<AtomicBool>,
    clients: JoinSet<Vec<Held>>,
}

/// A grant whose end a client has seen or not.
struct Held {
    tokens: Tokens,
    is_ended: bool,
}

/// What a load leaves behind.
pub struct Aftermath {
    pub history: Vec<Event>,
    pub verdict: Verdict,
}

impl Load {
    /// Signs everybody in and begins.
    pub async fn start(site: &Site, traffic: Traffic) -> Self {
        let app = App::of(site, &Arc::new(Journal::default()));
        let stopped = Arc::new(AtomicBool::new(false));
        let mut browsers = vec![app.browser(&site.issuer).await];
        for _ in 1..traffic.clients {
            browsers.push(app.browser(&site.issuer).await);
        }
        let mut clients = JoinSet::new();
        for (number, browser) in browsers.into_iter().enumerate() {
            let (app, traffic, stopped) = (app.clone(), traffic.clone(), Arc::clone(&stopped));
            let mut client = ClientOfLoad { app, browser, traffic, stopped, turn: number, held: Vec::new() };
            clients.spawn(async move {
                client.run().await;
                client.held
            });
        }
        Self { app, traffic, stopped, clients }
    }

    /// An app that writes into the same journal.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// How long the journal runs.
    pub fn now(&self) -> Duration {
        self.app.journal.now()
    }

    /// Everything so far.
    pub fn history(&self) -> Vec<Event> {
        self.app.journal.history()
    }

    /// Waits until something succeeds that was asked for after this moment; when it was answered.
    pub async fn success_after(&self, moment: Duration) -> Duration {
        loop {
            let works = |event: &&Event| event.begin >= moment && !event.outcome.is_open();
            if let Some(first) = self.history().iter().filter(works).map(|event| event.end).min() {
                return first;
            }
            assert!(self.now() < moment + Duration::from_secs(60), "nothing works any more");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends the load, asks the server about every grant, and judges the whole history.
    pub async fn end(mut self, reuse_window: Duration) -> Aftermath {
        self.stopped.store(true, Ordering::Relaxed);
        let mut held = Vec::new();
        while let Some(client) = self.clients.join_next().await {
            held.extend(client.unwrap());
        }
        for some in held.chunks(8) {
            join_all(some.iter().map(|held| self.look(held))).await;
        }
        let history = self.history();
        let verdict = check(&history, Rules { reuse_window });
        Aftermath { history, verdict }
    }

    /// What lives must live, what was ended must be dead; the checker knows which.
    async fn look(&self, held: &Held) {
        let origin = &self.traffic.origins[0];
        self.app.introspect(origin, &held.tokens).await;
        // Refreshing with a token that is no longer good would end the grant by itself.
        if !held.is_ended {
            self.app.refresh(origin, &held.tokens).await;
        } else if self.app.refresh(origin, &held.tokens).await.1.is_some() {
            self.app.introspect(origin, &held.tokens).await;
        }
    }
}

impl Aftermath {
    /// The figures that every row has.
    pub fn report(&self, report: &mut Report) {
        let acknowledged = self.history.iter().filter(|event| !event.outcome.is_open()).count();
        report.told("acknowledged operations", acknowledged);
        report.told("without an answer that counts", self.history.len() - acknowledged);
        report.exactly("violations", self.verdict.anomalies.len(), 0);
        for (grant, anomaly) in self.verdict.anomalies.iter().take(5) {
            report.told("violation", format!("{anomaly:?} of grant {grant}"));
        }
        if !self.verdict.anomalies.is_empty() {
            report.told("the history", self.write_history().display());
        }
        if self.verdict.codes_lost_with_their_answer > 0 {
            report.told("codes lost with their answer", self.verdict.codes_lost_with_their_answer);
        }
    }

    /// For whoever looks into a finding.
    fn write_history(&self) -> PathBuf {
        let name = format!("faults-history-{}.txt", std::process::id());
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&file, written(&self.history)).unwrap();
        file
    }
}

struct ClientOfLoad {
    app: App,
    browser: Browser,
    traffic: Traffic,
    stopped: Arc<AtomicBool>,
    turn: usize,
    held: Vec<Held>,
}

impl ClientOfLoad {
    async fn run(&mut self) {
        while !self.is_stopped() {
            let Some(code) = self.app.code(&self.browser).await else {
                tokio::time::sleep(BEFORE_RETRY).await;
                continue;
            };
            self.turn += 1;
            if self.traffic.ends && self.turn.is_multiple_of(8) {
                self.race(&code).await;
            } else {
                self.live(&code).await;
            }
        }
    }

    /// A grant's whole life, or its beginning if the load ends before.
    async fn live(&mut self, code: &Code) {
        let grant = self.app.journal.new_grant();
        let Some(mut tokens) = self.until_answered(Ask::Exchange(grant, code)).await else {
            return;
        };
        for _ in 0..self.traffic.refreshes {
            if self.is_stopped() {
                break;
            }
            if self.traffic.introspects {
                self.until_answered(Ask::Introspect(&tokens)).await;
            }
            match self.until_answered(Ask::Refresh(&tokens)).await {
                Some(newer) => tokens = newer,
                None => return self.held.push(Held { tokens, is_ended: true }),
            }
        }
        let is_ended = self.traffic.ends && self.turn.is_multiple_of(2) && !self.is_stopped();
        if is_ended {
            self.until_answered(Ask::Revoke(&tokens)).await;
            self.until_answered(Ask::Introspect(&tokens)).await;
        }
        self.held.push(Held { tokens, is_ended });
    }

    /// The code is redeemed twice at once: one wins, and what it got ends.
    async fn race(&mut self, code: &Code) {
        let grant = self.app.journal.new_grant();
        let origin = |turn: usize| &self.traffic.origins[turn % self.traffic.origins.len()];
        let (one, other) = tokio::join!(
            self.app.exchange(origin(self.turn), grant, code),
            self.app.exchange(origin(self.turn + 1), grant, code)
        );
        let winner = one.1.or(other.1);
        self.held.extend(winner.map(|tokens| Held { tokens, is_ended: true }));
    }

    /// Asks again until there is an answer that says what is true.
    async fn until_answered(&mut self, ask: Ask<'_>) -> Option<Tokens> {
        loop {
            self.traffic.origins.rotate_left(1);
            let (outcome, given) = self.app.ask(&self.traffic.origins[0], ask).await;
            if !outcome.is_open() {
                tokio::time::sleep(self.traffic.pause).await;
                return given;
            }
            tokio::time::sleep(BEFORE_RETRY).await;
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
