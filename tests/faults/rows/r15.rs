//! R15: two processes on one database, and everybody at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::app::{App, Ask, Tokens};
use crate::checker::{Rules, check};
use crate::harness::{Browser, free_port};
use crate::history::Outcome;
use crate::journal::Journal;
use crate::report::Report;
use crate::scale::Scale;
use crate::site::Site;

const AT_ONCE: usize = 100;

pub async fn run(scale: Scale) -> Report {
    let mut report = Report::default();
    let site = Site::new(&[]);
    let with_window = site.start_several(2, &[]).await;
    let strict =
        [(); 2].map(|()| site.spawn_at(free_port(), &[("GRANTOR_TOKENS_REFRESH_REUSE_WINDOW", "0s")]));
    for process in &strict {
        process.ready().await;
    }
    let rounds = scale.of(1, 10, 20);
    report.told("rounds of 100 at once, over two processes", rounds);
    for (name, processes, window) in [
        ("with the window", &with_window[..], Duration::from_secs(30)),
        ("strict", &strict[..], Duration::ZERO),
    ] {
        let race = Race {
            app: App::of(&site, &Arc::new(Journal::default())),
            origins: processes.iter().map(|process| process.origin.clone()).collect(),
        };
        let browser = race.app.browser(&site.issuer).await;
        let (mut winners, mut successors, mut refreshed) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for _ in 0..rounds {
            winners.insert(race.for_a_code(&browser).await);
            let (given, different) = race.for_a_refresh(&browser).await;
            refreshed.insert(given);
            successors.insert(different);
        }
        let history = race.app.journal.history();
        let verdict = check(&history, Rules { reuse_window: window });
        report.exactly(&format!("{name}: violations"), verdict.anomalies.len(), 0);
        let unanswered = history.iter().filter(|event| event.outcome.is_open()).count();
        report.exactly(&format!("{name}: without an answer"), unanswered, 0);
        report.must(&format!("{name}: one exchange wins each time"), winners == [1].into());
        let all = if window.is_zero() { 1 } else { AT_ONCE };
        report.must(&format!("{name}: {all} refreshes succeed each time"), refreshed == [all].into());
        report.must(&format!("{name}: one successor each time"), successors == [1].into());
    }
    report.exactly("panics", site.panics(), 0);
    report
}

struct Race {
    app: App,
    origins: Vec<String>,
}

impl Race {
    async fn all_at_once(&self, ask: Ask<'_>) -> Vec<Tokens> {
        let asked = (0..AT_ONCE).map(|number| self.app.ask(&self.origins[number % 2], ask));
        join_all(asked).await.into_iter().filter_map(|(_, tokens)| tokens).collect()
    }

    /// How many won.
    async fn for_a_code(&self, browser: &Browser) -> usize {
        let code = self.app.code(browser).await.unwrap();
        let won = self.all_at_once(Ask::Exchange(self.app.journal.new_grant(), &code)).await;
        for tokens in &won {
            for origin in &self.origins {
                self.app.introspect(origin, tokens).await;
            }
        }
        won.len()
    }

    /// How many succeeded, and how many different tokens they got.
    async fn for_a_refresh(&self, browser: &Browser) -> (usize, usize) {
        let code = self.app.code(browser).await.unwrap();
        let (_, first) = self.app.exchange(&self.origins[0], self.app.journal.new_grant(), &code).await;
        let given = self.all_at_once(Ask::Refresh(&first.unwrap())).await;
        for origin in &self.origins {
            let outcome = self.app.introspect(origin, &given[0]).await;
            debug_assert!(matches!(outcome, Outcome::Active(_)));
        }
        let different: BTreeSet<_> = given.iter().map(|tokens| &tokens.refresh_token).collect();
        (given.len(), different.len())
    }
}
