//! The whole way of a person whom nobody knows yet: authorize, sign in, agree, and back to the app with a code.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use grantor::secret::{base64url, random_bytes, sha256};

use super::browser::{Browser, Step};
use super::sources::Supply;
use super::{Contest, Limit, Limits, Row, Stage};
use crate::limits::pgbench::{PgBench, Work};
use crate::load::{Answer, Progress, RequestSource};
use crate::population::{Newcomer, PASSWORD, Population, REDIRECT_URI};

pub const ROW: Row = Row { name: "sign_in", limit: "password hash + statements", goal: 0.8, prepare };

/// People at a time for each hashing thread: it never waits for one, and nobody has to be sent away.
const EACH: usize = 6;

/// Requests of one flow that lead nowhere.
const TOO_MANY: usize = 10;

/// More than this nobody has seen.
const MOST_PER_SECOND: u32 = 400;

fn prepare(stage: &Stage) -> LocalBoxFuture<'_, Contest> {
    async move {
        let fresh = Supply::new();
        let population = Arc::clone(&stage.population);
        let person = |_| Person { population: Arc::clone(&population), fresh: fresh.clone(), flow: None };
        let mut people = stage.sources(person);
        people.truncate(EACH * stage.site.server_cores.count());
        Contest {
            sources: people,
            refill: Some((
                fresh.refill(move |missing| {
                    let population = Arc::clone(&population);
                    async move { population.newcomers(missing).await }
                }),
                MOST_PER_SECOND,
            )),
            limits: Limits::Sum(vec![
                Limit::Hashes,
                Limit::Statements(PgBench::new(Work::SignIn, &stage.site).await),
            ]),
        }
    }
    .boxed_local()
}

/// One person after the other, each with a browser and an address of their own.
struct Person {
    population: Arc<Population>,
    fresh: Supply<Newcomer>,
    flow: Option<Flow>,
}

struct Flow {
    browser: Browser,
    username: String,
    next: Vec<u8>,
    requests: usize,
}

impl Flow {
    fn begin(population: &Population, newcomer: Newcomer) -> Self {
        let [a, b, c] = random_bytes();
        let browser = Browser::new(format!("10.{a}.{b}.{c}"));
        let (client, _) = population.client(newcomer.client);
        let challenge = base64url(&sha256(base64url(&random_bytes::<32>()).as_bytes()));
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("response_type", "code"),
                ("client_id", client),
                ("redirect_uri", REDIRECT_URI),
                ("scope", "openid email"),
                ("state", "of the app"),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ])
            .finish();
        let next = browser.get(&format!("/authorize?{query}"));
        Self { browser, username: population.username(newcomer.user), next, requests: 0 }
    }
}

impl RequestSource for Person {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        if self.flow.is_none() {
            self.flow = self.fresh.take().map(|newcomer| Flow::begin(&self.population, newcomer));
        }
        let Some(flow) = &mut self.flow else { return false };
        flow.requests += 1;
        request.append(&mut flow.next);
        true
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Progress {
        let Some(flow) = &mut self.flow else { return Progress::Wrong };
        let person = [("username", flow.username.as_str()), ("password", PASSWORD), ("decision", "allow")];
        match flow.browser.proceed(answer, &person) {
            Step::Ask(next) if flow.requests < TOO_MANY => {
                flow.next = next;
                Progress::More
            }
            Step::Leave(address) if address.starts_with(REDIRECT_URI) && address.contains("code=") => {
                self.flow = None;
                Progress::Done
            }
            _ => {
                self.flow = None;
                Progress::Wrong
            }
        }
    }
}
