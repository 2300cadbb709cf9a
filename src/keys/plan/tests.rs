use rstest::rstest;

use super::*;
use crate::model::SigningKey;

const AHEAD: Duration = Duration::from_secs(604);
const NOW: i64 = 10_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn key(kid: &str, activates_at: i64, retired_at: Option<i64>) -> SigningKey {
    SigningKey {
        kid: kid.to_owned(),
        alg: "RS256".to_owned(),
        public_jwk: serde_json::Value::Null,
        wrapped_private_key: Vec::new(),
        master_key_id: Vec::new(),
        created_at: at(0),
        activates_at: at(activates_at),
        retired_at: retired_at.map(at),
    }
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
    let life_cycle = LifeCycle::new(&keys, Duration::from_secs(600));
    assert_eq!(first(life_cycle, at(NOW)), at_start);
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
    let life_cycle = LifeCycle::new(&keys, Duration::from_secs(600));
    let expected = match successor {
        None => keep(kid),
        Some(successor) => Decision::Change { retire: Some(kid.to_owned()), successor },
    };
    assert_eq!(retire(life_cycle, at(NOW), kid).unwrap(), expected);
}

#[test]
fn an_unknown_kid_is_not_retired() {
    let keys = with_next();
    let life_cycle = LifeCycle::new(&keys, Duration::from_secs(600));
    assert!(
        matches!(retire(life_cycle, at(NOW), "other"), Err(KeyError::UnknownKid { kid }) if kid == "other")
    );
}

#[test]
fn an_import_wants_a_new_key_and_none_that_waits() {
    let plan = |keys: &[SigningKey], kid: &str| {
        import(LifeCycle::new(keys, Duration::from_secs(600)), at(NOW), kid, AHEAD)
    };
    assert_eq!(plan(&one(), "mine").unwrap(), insert(AHEAD));
    assert!(matches!(plan(&with_next(), "mine"), Err(KeyError::NextExists { kid }) if kid == "next"));
    let state = |keys: &[SigningKey], kid: &str| match plan(keys, kid) {
        Err(KeyError::AlreadyStored { state, .. }) => Some(state),
        _ => None,
    };
    assert_eq!(state(&one(), "one"), Some(SigningKeyState::Active));
    assert_eq!(state(&all_retired(), "gone"), Some(SigningKeyState::Retired));
}
