use rstest::rstest;

use super::*;
use crate::model::samples::signing_key as key;
use SigningKeyState::{Active, Next, Retired, Retiring};

const TOKEN_LIFETIME: Duration = Duration::from_secs(600);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn kids<'a>(keys: &[&'a SigningKey]) -> Vec<&'a str> {
    keys.iter().map(|key| key.kid.as_str()).collect()
}

/// Keys `a`, `b` … by activation and retirement, the time, and the state that each is in then.
#[rstest]
#[case::one_key(&[(0, None)], 0, &[Active])]
#[case::the_clock_is_behind(&[(5, None)], 4, &[Active])]
#[case::both_still_to_come(&[(5, None), (9, None)], 4, &[Active, Next])]
#[case::next(&[(0, None), (1000, None)], 999, &[Active, Next])]
#[case::at_activation(&[(0, None), (1000, None)], 1000, &[Retiring, Active])]
#[case::last_moment(&[(0, None), (1000, None)], 1659, &[Retiring, Active])]
#[case::outlived(&[(0, None), (1000, None)], 1660, &[Retired, Active])]
#[case::never_outlived_by_the_next(&[(0, None), (9000, None)], 8999, &[Active, Next])]
#[case::from_the_first_successor(&[(0, None), (1000, None), (1500, None)], 1659, &[Retiring, Retiring, Active])]
#[case::not_the_last(&[(0, None), (1000, None), (1500, None)], 1660, &[Retired, Retiring, Active])]
#[case::active_retired(&[(0, Some(500)), (500, None)], 500, &[Retired, Active])]
#[case::retired_before_it_signed(&[(0, None), (1000, Some(900))], 5000, &[Active, Retired])]
#[case::back_while_published(&[(0, None), (1000, Some(1100))], 1200, &[Active, Retired])]
#[case::not_back_once_outlived(&[(0, None), (1000, Some(1100))], 1660, &[Retired, Retired])]
#[case::the_next_fills_the_gap(&[(0, None), (1000, Some(1100)), (9000, None)], 1660, &[Retired, Retired, Active])]
#[case::all_retired(&[(0, Some(1)), (0, Some(2))], 3, &[Retired, Retired])]
#[case::retired_a_moment_ahead_of_our_clock(&[(0, Some(10)), (0, None)], 9, &[Retired, Active])]
#[case::a_tie_goes_to_the_later_kid(&[(0, None), (0, None)], 0, &[Retiring, Active])]
fn states(#[case] rows: &[(i64, Option<i64>)], #[case] now: i64, #[case] expected: &[SigningKeyState]) {
    let keys: Vec<_> = rows
        .iter()
        .zip(["a", "b", "c"])
        .map(|((activates_at, retired_at), kid)| key(kid, *activates_at, *retired_at))
        .collect();
    let life_cycle = LifeCycle::new(&keys, Algorithm::Rs256, TOKEN_LIFETIME);
    let states: Vec<_> = keys.iter().map(|key| life_cycle.state(key, at(now))).collect();
    assert_eq!(states, expected);

    let published: Vec<_> = kids(&life_cycle.published(at(now)));
    for (key, state) in keys.iter().zip(&states) {
        assert_eq!(published.contains(&key.kid.as_str()), *state != Retired, "{}", key.kid);
    }
    let active = states.iter().position(|state| *state == Active).map(|index| keys[index].kid.as_str());
    assert_eq!(life_cycle.active(at(now)).map(|key| key.kid.as_str()), active);
}

#[test]
fn of_equal_activation_the_later_made_signs() {
    let mut keys = [key("a", 0, None), key("b", 0, None)];
    keys[0].created_at = at(1);
    assert_eq!(LifeCycle::new(&keys, Algorithm::Rs256, TOKEN_LIFETIME).active(at(0)).unwrap().kid, "a");
}

#[test]
fn the_active_key_is_published_first() {
    let keys = [key("a", 0, None), key("b", 100, None), key("c", 200, None), key("d", 300, None)];
    let life_cycle = LifeCycle::new(&keys, Algorithm::Rs256, TOKEN_LIFETIME);
    assert_eq!(kids(&life_cycle.published(at(250))), ["c", "d", "b", "a"]);
    assert_eq!(life_cycle.next(at(250)).unwrap().kid, "d");
    assert!(life_cycle.next(at(300)).is_none());
}

#[test]
fn a_state_changes_at_turning_points_only() {
    let keys =
        [key("a", 0, None), key("b", 1000, Some(1200)), key("c", 1300, None), key("d", 2000, Some(1900))];
    let life_cycle = LifeCycle::new(&keys, Algorithm::Rs256, TOKEN_LIFETIME);
    let states = |now| keys.iter().map(|key| life_cycle.state(key, at(now))).collect::<Vec<_>>();
    let points = life_cycle.turning_points(at(-1));
    for second in 0..4000 {
        if states(second) != states(second - 1) {
            assert!(points.contains(&at(second)), "{second}");
        }
    }
    assert_eq!(life_cycle.turning_points(at(3000)), []);
}

#[test]
fn a_key_stays_for_the_longest_token_that_it_has_signed() {
    let mut keys = [key("a", 0, None), key("b", 1000, None)];
    keys[0].longest_token_lifetime = Duration::from_secs(3_600);
    let life_cycle = LifeCycle::new(&keys, Algorithm::Rs256, TOKEN_LIFETIME);
    assert_eq!(life_cycle.outlived_at(&keys[0]), Some(at(1000 + 3_600 + 60)));
    assert_eq!(kids(&life_cycle.published(at(4_659))), ["b", "a"]);
    assert_eq!(kids(&life_cycle.published(at(4_660))), ["b"]);
    assert!(life_cycle.turning_points(at(0)).contains(&at(4_660)));
    // A lifetime that was raised since counts too.
    let raised = LifeCycle::new(&keys, Algorithm::Rs256, Duration::from_secs(7_200));
    assert_eq!(raised.outlived_at(&keys[0]), Some(at(1000 + 7_200 + 60)));
}

#[test]
fn algorithms_live_beside_each_other() {
    let mut keys = [key("a", 0, None), key("b", 1000, None), key("c", 2000, None)];
    keys[1].alg = Algorithm::Es256;
    let [rsa, elliptic] =
        [Algorithm::Rs256, Algorithm::Es256].map(|alg| LifeCycle::new(&keys, alg, TOKEN_LIFETIME));
    for (now, signs) in [(500, ["a", "b"]), (1500, ["a", "b"]), (2500, ["c", "b"]), (9000, ["c", "b"])] {
        let active = [rsa, elliptic].map(|cycle| cycle.active(at(now)).unwrap().kid.as_str());
        assert_eq!(active, signs, "{now}");
    }
    assert_eq!(kids(&elliptic.published(at(9000))), ["b"], "no key of another algorithm outlives it");
    assert!(LifeCycle::new(&keys, Algorithm::Ed25519, TOKEN_LIFETIME).active(at(0)).is_none());
}
