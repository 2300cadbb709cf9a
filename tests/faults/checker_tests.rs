//! A checker that finds nothing proves nothing: histories in which something is wrong, and ones in which nothing is.

use std::time::Duration;

use super::checker::{Anomaly, Rules, Verdict, check};
use super::history::{Event, Mark, Operation, Outcome};

const WINDOW: Rules = Rules { reuse_window: Duration::from_secs(30) };
const STRICT: Rules = Rules { reuse_window: Duration::ZERO };

fn mark(name: &str) -> Mark {
    Mark::of(name)
}

fn exchange(begin: u64, end: u64, outcome: Outcome) -> Event {
    event(begin, end, Operation::Exchange(mark("code")), outcome)
}

fn refresh(begin: u64, end: u64, token: &str, outcome: Outcome) -> Event {
    event(begin, end, Operation::Refresh(mark(token)), outcome)
}

fn revoke(begin: u64, end: u64, outcome: Outcome) -> Event {
    event(begin, end, Operation::Revoke(mark("t1")), outcome)
}

fn introspect(begin: u64, end: u64, active: bool) -> Event {
    event(begin, end, Operation::Introspect(mark("access")), Outcome::Active(active))
}

/// Times are seconds.
fn event(begin: u64, end: u64, operation: Operation, outcome: Outcome) -> Event {
    Event { grant: 7, operation, begin: Duration::from_secs(begin), end: Duration::from_secs(end), outcome }
}

fn gave(token: &str) -> Outcome {
    Outcome::Gave(mark(token))
}

fn anomalies(rules: Rules, history: &[Event]) -> Vec<Anomaly> {
    let verdict = check(history, rules);
    assert!(verdict.anomalies.iter().all(|(grant, _)| *grant == 7));
    verdict.anomalies.into_iter().map(|(_, anomaly)| anomaly).collect()
}

/// Sign-in and two rotations.
fn good() -> Vec<Event> {
    vec![
        exchange(0, 1, gave("t0")),
        refresh(2, 3, "t0", gave("t1")),
        introspect(3, 4, true),
        refresh(4, 5, "t1", gave("t2")),
    ]
}

fn good_and(more: &[Event]) -> Vec<Event> {
    [&good(), more].concat()
}

const AWAY: Outcome = Outcome::Away { retry_after: true };

#[test]
fn a_good_history_is_good() {
    let revoked = [revoke(6, 7, Outcome::Revoked), introspect(8, 9, false)];
    let dead = refresh(8, 9, "t2", Outcome::Refused);
    let history = good_and(&[&revoked[..], &[dead]].concat());
    for rules in [WINDOW, STRICT] {
        assert_eq!(check(&history, rules), Verdict::default());
    }
}

#[test]
fn a_code_that_is_used_twice_is_found() {
    let history = good_and(&[exchange(8, 9, gave("other"))]);
    assert!(anomalies(WINDOW, &history).contains(&Anomaly::CodeUsedTwice));
}

#[test]
fn a_family_with_two_heads_is_found() {
    let history = good_and(&[refresh(4, 6, "t1", gave("other"))]);
    assert_eq!(anomalies(WINDOW, &history), [Anomaly::TwoSuccessors]);
}

#[test]
fn an_old_token_that_works_is_found() {
    let history = good_and(&[refresh(6, 7, "t0", gave("t1"))]);
    assert_eq!(anomalies(WINDOW, &history), [Anomaly::OldTokenWorked]);
}

#[test]
fn a_second_use_is_good_within_the_window_alone() {
    let again = |begin| good_and(&[refresh(begin, begin + 1, "t1", gave("t2"))]);
    assert_eq!(anomalies(WINDOW, &again(10)), []);
    assert_eq!(anomalies(WINDOW, &again(36)), [Anomaly::UsedTwice]);
    assert_eq!(anomalies(STRICT, &again(6)), [Anomaly::UsedTwice]);
    // Both at once: with a window the same answer, without one a single winner.
    let at_once = good_and(&[refresh(4, 6, "t1", gave("t2"))]);
    assert_eq!(anomalies(WINDOW, &at_once), []);
    assert_eq!(anomalies(STRICT, &at_once), [Anomaly::UsedTwice]);
}

#[test]
fn what_lives_after_its_end_is_found() {
    let revoked = revoke(6, 7, Outcome::Revoked);
    for survivor in [refresh(8, 9, "t2", gave("t3")), introspect(8, 9, true)] {
        assert_eq!(anomalies(WINDOW, &good_and(&[revoked, survivor])), [Anomaly::Revived]);
    }
    // While it was being revoked both answers are right.
    let meanwhile = refresh(6, 8, "t2", gave("t3"));
    assert_eq!(anomalies(WINDOW, &good_and(&[revoked, meanwhile])), []);
    // A revocation without an answer promises nothing.
    let unanswered = revoke(6, 7, Outcome::Unknown);
    assert_eq!(anomalies(WINDOW, &good_and(&[unanswered, introspect(8, 9, true)])), []);
    // A refused refresh ends the grant as well.
    let refused = refresh(40, 41, "t0", Outcome::Refused);
    assert_eq!(anomalies(WINDOW, &good_and(&[refused, introspect(42, 43, true)])), [Anomaly::Revived]);
}

#[test]
fn a_race_for_a_code_must_leave_nothing_alive() {
    let race = [exchange(0, 1, gave("t0")), exchange(0, 2, Outcome::Refused)];
    assert_eq!(anomalies(WINDOW, &[&race[..], &[introspect(3, 4, false)]].concat()), []);
    assert_eq!(anomalies(WINDOW, &[&race[..], &[introspect(3, 4, true)]].concat()), [Anomaly::Revived]);
}

#[test]
fn a_lost_rotation_is_found() {
    let refused = refresh(6, 7, "t2", Outcome::Refused);
    assert_eq!(anomalies(WINDOW, &good_and(&[refused])), [Anomaly::TokenLost]);
    assert_eq!(anomalies(WINDOW, &good_and(&[introspect(6, 7, false)])), [Anomaly::TokenLost]);
    // A repeated refresh that should have got the same answer.
    let repeated = refresh(6, 7, "t1", Outcome::Refused);
    assert_eq!(anomalies(WINDOW, &good_and(&[repeated])), [Anomaly::TokenLost]);
    assert_eq!(anomalies(STRICT, &good_and(&[repeated])), []);
}

#[test]
fn a_lost_answer_excuses_only_what_could_not_be_asked_again() {
    let history = |open: Outcome, retried: u64| {
        let again = refresh(retried, retried + 1, "t2", Outcome::Refused);
        good_and(&[refresh(6, 7, "t2", open), again])
    };
    for open in [AWAY, Outcome::Unknown, Outcome::Fault(500)] {
        assert_eq!(anomalies(WINDOW, &history(open, 8)), [Anomaly::TokenLost], "{open:?}");
        for (rules, retried) in [(WINDOW, 40), (STRICT, 8)] {
            let verdict = check(&history(open, retried), rules);
            assert_eq!((verdict.anomalies.len(), verdict.lost_with_their_answer), (0, 1), "{open:?}");
        }
    }
}

#[test]
fn a_code_is_lost_only_with_its_answer() {
    let refused = exchange(2, 3, Outcome::Refused);
    assert_eq!(anomalies(WINDOW, &[refused]), [Anomaly::CodeLost]);
    let verdict = check(&[exchange(0, 1, Outcome::Unknown), refused], WINDOW);
    assert_eq!((verdict.anomalies.len(), verdict.codes_lost_with_their_answer), (0, 1));
    // One that was not carried out at first may be given later, and must then live.
    let late = [exchange(0, 1, AWAY), exchange(2, 3, gave("t0")), introspect(4, 5, false)];
    assert_eq!(anomalies(WINDOW, &late), [Anomaly::TokenLost]);
}

#[test]
fn grants_are_judged_one_by_one() {
    let mut other = good();
    other.iter_mut().for_each(|event| event.grant = 8);
    other.push(Event { grant: 8, ..refresh(6, 7, "t2", Outcome::Refused) });
    let verdict = check(&[good(), other].concat(), WINDOW);
    assert_eq!(verdict.anomalies, [(8, Anomaly::TokenLost)]);
}
