use rstest::rstest;

use super::*;
use crate::jose::Audience;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://id.example";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOW + seconds)
}

fn claims() -> AssertionClaims {
    AssertionClaims {
        iss: Some("app".to_owned()),
        sub: Some("app".to_owned()),
        aud: Audience::One(ISSUER.to_owned()),
        exp: Some(at(60)),
        nbf: None,
        iat: None,
        jti: Some("1".to_owned()),
    }
}

fn check_with(change: impl FnOnce(&mut AssertionClaims), database_ahead: i64) -> Result<Accepted, Refused> {
    let mut claims = claims();
    change(&mut claims);
    let expected =
        Expected { client_id: "app", issuer: ISSUER, now: at(0), latest: at(database_ahead.max(0)) };
    check(&claims, &expected)
}

#[rstest]
#[case::complete(|_: &mut _| {}, None)]
#[case::no_iss(|c: &mut AssertionClaims| c.iss = None, Some(Refused::Client))]
#[case::other_iss(|c: &mut AssertionClaims| c.iss = Some("evil".into()), Some(Refused::Client))]
#[case::no_sub(|c: &mut AssertionClaims| c.sub = None, Some(Refused::Client))]
#[case::other_sub(|c: &mut AssertionClaims| c.sub = Some("evil".into()), Some(Refused::Client))]
#[case::other_case(|c: &mut AssertionClaims| c.sub = Some("APP".into()), Some(Refused::Client))]
// Case 51.
#[case::array(|c: &mut AssertionClaims| c.aud = Audience::Several(vec![ISSUER.into()]), None)]
#[case::no_aud(|c: &mut AssertionClaims| c.aud = Audience::default(), Some(Refused::Audience))]
#[case::other_aud(|c: &mut AssertionClaims| c.aud = Audience::One("https://evil.example".into()), Some(Refused::Audience))]
#[case::with_evil(|c: &mut AssertionClaims| c.aud = Audience::Several(vec![ISSUER.into(), "https://evil.example".into()]), Some(Refused::Audience))]
#[case::token_endpoint(|c: &mut AssertionClaims| c.aud = Audience::One(format!("{ISSUER}/token")), Some(Refused::Audience))]
#[case::slash(|c: &mut AssertionClaims| c.aud = Audience::One(format!("{ISSUER}/")), Some(Refused::Audience))]
#[case::other_case_of_aud(|c: &mut AssertionClaims| c.aud = Audience::One("https://ID.example".into()), Some(Refused::Audience))]
// Case 52.
#[case::no_exp(|c: &mut AssertionClaims| c.exp = None, Some(Refused::NoExpiry))]
#[case::expired(|c: &mut AssertionClaims| c.exp = Some(at(-60)), Some(Refused::Expired))]
#[case::expired_within_leeway(|c: &mut AssertionClaims| c.exp = Some(at(-59)), None)]
#[case::an_hour(|c: &mut AssertionClaims| c.exp = Some(at(3_600)), None)]
#[case::an_hour_and_leeway(|c: &mut AssertionClaims| c.exp = Some(at(3_660)), None)]
#[case::too_long(|c: &mut AssertionClaims| c.exp = Some(at(3_661)), Some(Refused::TooLong))]
#[case::for_ever(|c: &mut AssertionClaims| c.exp = Some(Timestamp::from_unix_seconds(i64::MAX)), Some(Refused::TooLong))]
#[case::nbf_past(|c: &mut AssertionClaims| c.nbf = Some(at(-5_000)), None)]
#[case::nbf_within_leeway(|c: &mut AssertionClaims| c.nbf = Some(at(60)), None)]
#[case::nbf_future(|c: &mut AssertionClaims| c.nbf = Some(at(61)), Some(Refused::NotYet))]
#[case::iat_within_leeway(|c: &mut AssertionClaims| c.iat = Some(at(60)), None)]
#[case::iat_future(|c: &mut AssertionClaims| c.iat = Some(at(61)), Some(Refused::NotYet))]
#[case::iat_an_hour_ago(|c: &mut AssertionClaims| c.iat = Some(at(-3_660)), None)]
#[case::iat_old(|c: &mut AssertionClaims| c.iat = Some(at(-3_661)), Some(Refused::TooOld))]
#[case::no_jti(|c: &mut AssertionClaims| c.jti = None, Some(Refused::NoIdentifier))]
#[case::empty_jti(|c: &mut AssertionClaims| c.jti = Some(String::new()), Some(Refused::NoIdentifier))]
#[case::long_jti(|c: &mut AssertionClaims| c.jti = Some("a".repeat(5_000)), None)]
fn the_claims_are_those_of_a_client_assertion(
    #[case] change: impl FnOnce(&mut AssertionClaims),
    #[case] expected: Option<Refused>,
) {
    assert_eq!(check_with(change, 0).err(), expected);
}

#[test]
fn what_has_expired_by_one_of_two_clocks_has_expired() {
    assert!(check_with(|_| {}, 119).is_ok());
    assert_eq!(check_with(|_| {}, 120).err(), Some(Refused::Expired));
}

#[test]
fn it_is_remembered_until_its_times_refuse_it() {
    let accepted = check_with(|_| {}, 0).unwrap();
    assert_eq!(accepted.expires_at, at(120));
    assert_eq!(check_with(|claims| claims.exp = Some(at(0)), 0).unwrap().hash, accepted.hash);
}

#[test]
fn identifiers_of_two_clients_do_not_meet() {
    assert_ne!(identity("app", "1"), identity("app", "2"));
    assert_ne!(identity("app", "1"), identity("ap", "p1"));
    assert_ne!(identity("a", "bc"), identity("ab", "c"));
}
