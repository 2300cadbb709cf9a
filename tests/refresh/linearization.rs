//! Whether what was answered to operations at once can be explained by doing them one after the other.

use std::collections::HashSet;
use std::time::Instant;

use super::model::{Answer, Family, Operation};

/// An operation with its answer.
#[derive(Debug, Clone)]
pub struct Call {
    pub operation: Operation,
    /// The newest generation that was known when it began.
    pub newest: u32,
    pub answer: Answer,
    pub began: Instant,
    pub ended: Instant,
}

/// The states in which the family may be after these calls, if it was in one of `before`. None: there is no order
/// that explains the answers and puts no call after one that began when it had been answered.
pub fn explained(before: &HashSet<Family>, calls: &[Call]) -> HashSet<Family> {
    // Each call is a bit.
    let everything = (1_u64 << calls.len()) - 1;
    let mut to_look_at: Vec<(u64, Family)> = before.iter().map(|family| (0, family.clone())).collect();
    let mut seen: HashSet<(u64, Family)> = to_look_at.iter().cloned().collect();
    while let Some((done, family)) = to_look_at.pop() {
        for next in can_be_next(done, calls) {
            let mut after = family.clone();
            if after.answer(&calls[next].operation, calls[next].newest) != calls[next].answer {
                continue;
            }
            let reached = (done | 1 << next, after);
            if seen.insert(reached.clone()) {
                to_look_at.push(reached);
            }
        }
    }
    seen.into_iter().filter(|(done, _)| *done == everything).map(|(_, family)| family).collect()
}

/// The calls that are not done and began before each other of those had been answered.
fn can_be_next(done: u64, calls: &[Call]) -> impl Iterator<Item = usize> {
    let open = move |number: &usize| done & 1 << number == 0;
    let first_end = (0..calls.len()).filter(open).map(|number| calls[number].ended).min();
    (0..calls.len())
        .filter(open)
        .filter(move |number| first_end.is_some_and(|end| calls[*number].began <= end))
}

mod the_checker_itself {
    use std::time::Duration;

    use super::super::model::{ABSOLUTE, Caller, IDLE, Kind, Presented, Scope, WINDOW};
    use super::*;

    fn refresh(back: u32, newest: u32, answer: Answer, times: [u64; 2], start: Instant) -> Call {
        let token = Presented { back, changed_bit: None };
        let operation = Operation::Refresh { caller: Caller::Owner, token, scope: Scope::Left };
        let [began, ended] = times.map(|time| start + Duration::from_millis(time));
        Call { operation, newest, answer, began, ended }
    }

    fn given(generation: u32) -> Answer {
        Answer::Tokens { generation, expires_in: IDLE.min(ABSOLUTE), narrowed: false }
    }

    fn at_first(window: u32) -> HashSet<Family> {
        HashSet::from([Family::new(window, Kind::Confidential, true)])
    }

    #[test]
    fn what_some_order_explains_is_accepted_and_nothing_else() {
        let start = Instant::now();
        let revoked = |times: [u64; 2]| {
            let token = Presented { back: 0, changed_bit: None };
            let operation = Operation::Revoke { caller: Caller::Owner, token };
            Call { operation, ..refresh(0, 0, Answer::Done, times, start) }
        };
        let good = |times| refresh(0, 0, given(1), times, start);
        let refused = |times| refresh(0, 0, Answer::InvalidGrant, times, start);
        let table = [
            ("two at once within the window", WINDOW, vec![good([0, 9]), good([0, 9])], true),
            ("two winners where it is strict", 0, vec![good([0, 9]), good([0, 9])], false),
            ("strict: one wins, the other ends it", 0, vec![good([0, 9]), refused([0, 9])], true),
            ("one refused without a reason", WINDOW, vec![good([0, 9]), refused([0, 9])], false),
            ("another successor", WINDOW, vec![good([0, 9]), refresh(0, 0, given(2), [0, 9], start)], false),
            ("a refresh beside a revocation", WINDOW, vec![revoked([0, 9]), good([5, 20])], true),
            ("a refresh after a revocation", WINDOW, vec![revoked([0, 9]), good([10, 20])], false),
            ("refused before the revocation", WINDOW, vec![refused([0, 9]), revoked([10, 20])], false),
            ("nothing", WINDOW, vec![], true),
        ];
        for (what, window, calls, expected) in table {
            assert_eq!(!explained(&at_first(window), &calls).is_empty(), expected, "{what}");
        }
    }

    #[test]
    fn what_is_not_known_stays_open() {
        let start = Instant::now();
        let answers = [given(1), Answer::InvalidGrant];
        let calls = answers.map(|answer| refresh(0, 0, answer, [0, 9], start));
        let after = explained(&at_first(0), &calls);
        let next = refresh(0, 1, given(2), [10, 12], start);
        assert!(explained(&after, &[next]).is_empty(), "it has ended");
    }
}
