use rstest::rstest;

use super::*;
use crate::jose::Algorithm;
use crate::model::samples::signing_key as key;

const AHEAD: Duration = Duration::from_secs(604);
const NOW: i64 = 10_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn life_cycle(keys: &[SigningKey]) -> LifeCycle<'_> {
    LifeCycle::new(keys, Algorithm::Rs256, Duration::from_secs(600))
}

fn nothing() -> Vec<SigningKey> {
    vec![]
}
fn all_retired() -> Vec<SigningKey> {
    vec![key("gone", 0, Some(5))]
}
fn one() -> Vec<SigningKey> {
    vec![key("one", 0, None)]
}
fn with_next() -> Vec<SigningKey> {
    vec![key("one", 0, None), key("next", NOW + 60, None)]
}
fn with_old() -> Vec<SigningKey> {
    vec![key("outlived", 0, None), key("old", 5_000, None), key("one", NOW - 60, None)]
}

fn insert(after: Duration) -> Decision {
    Decision::bring_in(Successor::Insert(after))
}
fn activate(kid: &str) -> Decision {
    Decision::bring_in(Successor::Activate(kid.to_owned()))
}
fn keep(kid: &str) -> Decision {
    Decision::Keep(kid.to_owned())
}

#[rstest]
#[case(nothing(), insert(Duration::ZERO), insert(AHEAD), insert(Duration::ZERO))]
#[case(all_retired(), insert(Duration::ZERO), insert(AHEAD), insert(Duration::ZERO))]
#[case(one(), keep("one"), insert(AHEAD), insert(Duration::ZERO))]
#[case(with_next(), keep("one"), keep("next"), activate("next"))]
#[case(with_old(), keep("one"), insert(AHEAD), insert(Duration::ZERO))]
fn rotation(
    #[case] keys: Vec<SigningKey>,
    #[case] at_start: Decision,
    #[case] rotated: Decision,
    #[case] rotated_now: Decision,
) {
    let life_cycle = life_cycle(&keys);
    assert_eq!(first(life_cycle, at(NOW), Duration::ZERO), at_start);
    assert_eq!(rotate(life_cycle, at(NOW), AHEAD), rotated);
    assert_eq!(rotate_now(life_cycle, at(NOW)), rotated_now);
}

#[rstest]
#[case::the_only(one(), "one", Some(Successor::Insert(Duration::ZERO)))]
#[case::active_with_a_next(with_next(), "one", Some(Successor::Activate("next".to_owned())))]
#[case::the_next(with_next(), "next", Some(Successor::Nobody))]
#[case::superseded(with_old(), "old", Some(Successor::Nobody))]
#[case::outlived(with_old(), "outlived", Some(Successor::Nobody))]
#[case::active_beside_superseded(with_old(), "one", Some(Successor::Insert(Duration::ZERO)))]
#[case::retired_already(all_retired(), "gone", None)]
fn retirement(#[case] keys: Vec<SigningKey>, #[case] kid: &str, #[case] successor: Option<Successor>) {
    let life_cycle = life_cycle(&keys);
    let expected = match successor {
        None => keep(kid),
        Some(successor) => Decision::Change { retire: Some(kid.to_owned()), successor },
    };
    assert_eq!(retire(life_cycle, at(NOW), kid).unwrap(), expected);
}

#[test]
fn an_unknown_kid_is_not_retired() {
    let keys = with_next();
    let life_cycle = life_cycle(&keys);
    assert!(
        matches!(retire(life_cycle, at(NOW), "other"), Err(KeyError::UnknownKid { kid }) if kid == "other")
    );
}

#[test]
fn an_import_wants_none_that_waits() {
    let plan = |keys: &[SigningKey]| import(life_cycle(keys), at(NOW), AHEAD);
    assert_eq!(plan(&one()).unwrap(), insert(AHEAD));
    assert!(matches!(plan(&with_next()), Err(KeyError::NextExists { kid }) if kid == "next"));
}

#[test]
fn the_first_key_of_an_algorithm_may_be_published_ahead() {
    assert_eq!(first(life_cycle(&nothing()), at(NOW), AHEAD), insert(AHEAD));
    assert_eq!(first(life_cycle(&one()), at(NOW), AHEAD), keep("one"));
}

/// How old the active key is, how long a key signs, and whether its successor is to be published now.
#[rstest]
#[case::young(100, 10_000, false)]
#[case::a_second_early(9_395, 10_000, false)]
#[case::in_time_to_be_published_ahead(9_396, 10_000, true)]
#[case::long_overdue(90_000, 10_000, true)]
#[case::oftener_than_caches_follow(0, 1, true)]
fn a_successor_is_due(#[case] age: i64, #[case] rotate_every: u64, #[case] expected: bool) {
    let rotate_every = Duration::from_secs(rotate_every);
    let due = |keys: &[SigningKey]| is_due(life_cycle(keys), at(NOW), rotate_every, AHEAD);
    let active = key("one", NOW - age, None);
    assert_eq!(due(std::slice::from_ref(&active)), expected);
    assert!(!due(&[active, key("next", NOW + 60, None)]), "one next key at a time");
    assert!(!due(&nothing()) && !due(&all_retired()), "nothing to rotate");
}

#[test]
fn what_nobody_needs_is_erased_once() {
    let mut keys = with_old();
    keys.push(key("leaked", 1_000, Some(NOW - 1)));
    keys.push(key("next", NOW + 60, None));
    assert_eq!(to_erase(life_cycle(&keys), at(NOW)), ["outlived", "leaked"]);
    for key in &mut keys {
        key.wrapped_private_key.clear();
    }
    assert!(to_erase(life_cycle(&keys), at(NOW)).is_empty());
}
