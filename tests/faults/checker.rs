//! Judges a history: nothing was usable twice, nothing acknowledged was lost, what was ended stayed ended.
//!
//! It knows only what clients know. A request whose answer was lost counts as done and as not done, whichever
//! excuses the server; everything else must fit.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::history::{Event, Mark, Operation, Outcome};

/// What the server promised.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// For how long a refresh may be repeated; zero: not at all.
    pub reuse_window: Duration,
}

/// A broken promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anomaly {
    /// A code gave tokens twice.
    CodeUsedTwice,
    /// A refresh token gave two successors: a family with two heads.
    TwoSuccessors,
    /// A refresh token worked after its successor had been used.
    OldTokenWorked,
    /// A refresh token worked a second time, outside the window for that.
    UsedTwice,
    /// Something worked after the grant's end had been acknowledged.
    Revived,
    /// A code was refused that nobody had used.
    CodeLost,
    /// The newest refresh token was refused, or the access token inactive, although nobody ended the grant.
    TokenLost,
}

/// What a history shows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Broken promises, with the grant.
    pub anomalies: Vec<(u32, Anomaly)>,
    /// Grants that ended because the answer to a refresh was lost and could not be asked for again.
    pub lost_with_their_answer: usize,
    /// Codes whose answer was lost: a code cannot be redeemed again, so the app asks anew.
    pub codes_lost_with_their_answer: usize,
}

/// Judges a history.
pub fn check(history: &[Event], rules: Rules) -> Verdict {
    let mut grants: BTreeMap<u32, Vec<Event>> = BTreeMap::new();
    for event in history {
        grants.entry(event.grant).or_default().push(*event);
    }
    let mut verdict = Verdict::default();
    for (number, mut events) in grants {
        events.sort_by_key(|event| event.end);
        let grant = Grant { depths: depths(&events), events, rules };
        let found: BTreeSet<Anomaly> = grant.anomalies().into_iter().collect();
        verdict.anomalies.extend(found.into_iter().map(|anomaly| (number, anomaly)));
        verdict.lost_with_their_answer += usize::from(grant.is_lost_with_an_answer());
        verdict.codes_lost_with_their_answer += usize::from(grant.code_is_lost_with_its_answer());
    }
    verdict
}

/// How many rotations lie between a grant's first refresh token and each other one.
fn depths(events: &[Event]) -> BTreeMap<Mark, usize> {
    let mut depths = BTreeMap::new();
    // Answers may overtake each other: as often as it takes.
    loop {
        let known = depths.len();
        for event in events {
            match (event.operation, event.outcome) {
                (Operation::Exchange(_), Outcome::Gave(first)) => drop(depths.entry(first).or_insert(0)),
                (Operation::Refresh(used), Outcome::Gave(successor)) => {
                    // A client that is not rotated keeps its token.
                    if let Some(depth) = depths.get(&used).copied().filter(|_| used != successor) {
                        depths.entry(successor).or_insert(depth + 1);
                    }
                }
                _ => {}
            }
        }
        if depths.len() == known {
            return depths;
        }
    }
}

/// The events of one approval, by their ends.
struct Grant {
    events: Vec<Event>,
    depths: BTreeMap<Mark, usize>,
    rules: Rules,
}

impl Grant {
    fn anomalies(&self) -> Vec<Anomaly> {
        let mut found = Vec::new();
        if self.exchanges().filter(|event| gave(event)).count() > 1 {
            found.push(Anomaly::CodeUsedTwice);
        }
        if self.has_two_successors() {
            found.push(Anomaly::TwoSuccessors);
        }
        found.extend(self.refreshes().filter_map(|(event, token)| self.judge_success(event, token)));
        if let Some(end) = self.end() {
            let works = |event: &Event| gave(event) || event.outcome == Outcome::Active(true);
            if self.events.iter().any(|event| event.begin > end && works(event)) {
                found.push(Anomaly::Revived);
            }
        }
        let refused = |event: &Event| event.outcome == Outcome::Refused;
        if self.exchanges().next().is_some() && self.exchanges().all(refused) {
            found.push(Anomaly::CodeLost);
        }
        if self.losses().any(|excused| !excused) {
            found.push(Anomaly::TokenLost);
        }
        found
    }

    fn exchanges(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| matches!(event.operation, Operation::Exchange(_)))
    }

    fn refreshes(&self) -> impl Iterator<Item = (&Event, Mark)> {
        self.events.iter().filter_map(|event| match event.operation {
            Operation::Refresh(token) => Some((event, token)),
            _ => None,
        })
    }

    fn has_two_successors(&self) -> bool {
        let mut successors = BTreeMap::new();
        self.refreshes().any(|(event, token)| match event.outcome {
            Outcome::Gave(successor) => *successors.entry(token).or_insert(successor) != successor,
            _ => false,
        })
    }

    /// What is wrong with a refresh that succeeded.
    fn judge_success(&self, event: &Event, token: Mark) -> Option<Anomaly> {
        if !gave(event) || event.outcome == Outcome::Gave(token) {
            return None;
        }
        let depth = self.depths.get(&token)?;
        let newer = |(other, used): (&Event, Mark)| {
            gave(other) && other.end < event.begin && self.depths.get(&used).is_some_and(|used| used > depth)
        };
        if self.refreshes().any(newer) {
            return Some(Anomaly::OldTokenWorked);
        }
        // The rotation came before the first answer that told of it.
        let first = self.refreshes().find(|(other, used)| *used == token && gave(other))?.0;
        let is_first = first.end == event.end && first.begin == event.begin;
        let is_late = event.begin > first.end + self.rules.reuse_window;
        (!is_first && (is_late || self.rules.reuse_window.is_zero())).then_some(Anomaly::UsedTwice)
    }

    /// When the grant was certainly over: a revocation or a refused refresh was answered, or both a winner and a
    /// loser of one code.
    fn end(&self) -> Option<Duration> {
        let ended = |event: &&Event| {
            event.outcome == Outcome::Revoked
                || matches!((event.operation, event.outcome), (Operation::Refresh(_), Outcome::Refused))
        };
        let acknowledged = self.events.iter().filter(ended).map(|event| event.end).min();
        let won = self.exchanges().filter(|event| gave(event)).map(|event| event.end).min();
        let lost =
            self.exchanges().filter(|event| event.outcome == Outcome::Refused).map(|event| event.end).min();
        let contested = won.zip(lost).map(|(won, lost)| won.max(lost));
        acknowledged.into_iter().chain(contested).min()
    }

    /// Each time that something alive was called dead: whether a lost answer excuses it.
    fn losses(&self) -> impl Iterator<Item = bool> {
        self.events.iter().filter(|event| self.is_loss(event)).map(|event| self.excuse(event))
    }

    /// Whether the grant seems to have ended although the client had not asked for that.
    fn is_loss(&self, event: &Event) -> bool {
        let asked_to_end =
            |other: &Event| matches!(other.operation, Operation::Revoke(_)) && other.begin < event.end;
        if self.events.iter().any(asked_to_end) || self.code_was_raced() {
            return false;
        }
        match (event.operation, event.outcome) {
            (Operation::Refresh(token), Outcome::Refused) => !self.may_be_refused(event, token),
            (Operation::Introspect(_), Outcome::Active(false)) => {
                self.end().is_none_or(|end| end > event.begin)
            }
            _ => false,
        }
    }

    /// Whether the code was presented a second time, not only again after a request without success: that ends the
    /// grant.
    fn code_was_raced(&self) -> bool {
        let Some(won) = self.exchanges().find(|event| gave(event)) else { return false };
        self.exchanges()
            .any(|other| other.end > won.begin && (other.begin, other.end) != (won.begin, won.end))
    }

    /// Whether the rule refuses this token: its successor was used, or it was used too long ago, or the grant was
    /// over before.
    fn may_be_refused(&self, event: &Event, token: Mark) -> bool {
        if self.end().is_some_and(|end| end < event.end) {
            return true;
        }
        let Some(depth) = self.depths.get(&token) else { return false };
        self.refreshes().any(|(other, used)| {
            let same = used == token && (other.begin, other.end) != (event.begin, event.end);
            let is_late = event.end > other.begin + self.rules.reuse_window;
            let is_newer = self.depths.get(&used).is_some_and(|used| used > depth);
            (is_newer && other.begin < event.end && other.outcome != Outcome::Refused)
                || (same && gave(other) && (is_late || self.rules.reuse_window.is_zero()))
        })
    }

    /// A request without an answer may have used a token. It excuses a refusal only if the client could not ask
    /// again in time, or if the request may have been carried out later.
    fn excuse(&self, event: &Event) -> bool {
        self.events.iter().any(|other| {
            let is_before = other.begin < event.end && other.outcome.is_open();
            let in_vain = event.end > other.begin + self.rules.reuse_window;
            match other.operation {
                Operation::Refresh(_) => is_before && (in_vain || other.outcome == Outcome::Late),
                Operation::Exchange(_) => is_before && other.outcome == Outcome::Late,
                _ => false,
            }
        })
    }

    fn is_lost_with_an_answer(&self) -> bool {
        self.losses().any(|excused| excused)
    }

    fn code_is_lost_with_its_answer(&self) -> bool {
        !self.exchanges().any(gave)
            && self.exchanges().any(|event| event.outcome == Outcome::Refused)
            && self.exchanges().any(|event| event.outcome.is_open())
    }
}

fn gave(event: &Event) -> bool {
    matches!(event.outcome, Outcome::Gave(_))
}
