use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::protocol::{ClientAndRedirect, Parameters};
use crate::secret::Secret;

/// One microsecond before an hour ends: the key of the hour is not the one of the moment of opening.
const LATE_IN_THE_HOUR: Timestamp = Timestamp::from_unix_micros(500_000 * 3_600_000_000 - 1);

fn keys(first_bytes: &[u8]) -> MasterKeys {
    let text = |byte: &u8| ("TEST".to_owned(), Secret::new(base64url(&[*byte; 32])));
    MasterKeys::load(&first_bytes.iter().map(text).collect::<Vec<_>>()).unwrap()
}

fn request(state: &str) -> AuthorizationRequest {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", "https://app.example/cb"),
            ("scope", "openid read"),
            ("state", state),
            ("nonce", "n-0S6"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
            ("resource", "https://api.example"),
            ("prompt", "login consent"),
            ("max_age", "60"),
            ("login_hint", "alice"),
        ])
        .finish();
    let parameters = Parameters::parse(query.as_bytes()).unwrap();
    let client = ClientAndRedirect::parse(&parameters).unwrap();
    AuthorizationRequest::parse(&parameters, client, "https://app.example/cb".to_owned()).unwrap()
}

fn sealed() -> String {
    SealedRequest::new(request("st4te"), LATE_IN_THE_HOUR).seal(&keys(&[1])).unwrap()
}

#[rstest]
#[case::at_once(Duration::ZERO, true)]
#[case::in_the_next_hour(Duration::from_micros(1), true)]
#[case::at_the_last_moment(LIFETIME - Duration::from_micros(1), true)]
#[case::an_hour_later(LIFETIME, false)]
#[case::a_year_later(Duration::from_secs(31_536_000), false)]
fn it_opens_for_an_hour_across_the_hours_key(#[case] later: Duration, #[case] opens: bool) {
    let opened = SealedRequest::open(&sealed(), &keys(&[1]), LATE_IN_THE_HOUR + later);
    assert_eq!(opened.is_some(), opens);
}

#[test]
fn it_holds_the_whole_request_and_its_time() {
    let opened = SealedRequest::open(&sealed(), &keys(&[1]), LATE_IN_THE_HOUR).unwrap();
    assert!(opened.request == request("st4te"));
    assert_eq!(opened.requested_at(), LATE_IN_THE_HOUR);
}

#[test]
fn every_listed_master_key_opens_and_another_does_not() {
    for (listed, opens) in [(&[1][..], true), (&[2, 1], true), (&[2], false)] {
        let opened = SealedRequest::open(&sealed(), &keys(listed), LATE_IN_THE_HOUR);
        assert_eq!(opened.is_some(), opens, "{listed:?}");
    }
}

#[test]
fn the_same_request_never_looks_the_same_and_shows_nothing() {
    let (one, other) = (sealed(), sealed());
    assert_ne!(one, other);
    let bytes = from_base64url(&one).unwrap();
    for secret in ["st4te", "app.example", "alice", "n-0S6"] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
}

#[test]
fn it_fits_a_url_as_it_is() {
    assert!(sealed().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
}

proptest! {
    #[test]
    fn any_state_travels_unchanged(state in "\\PC{1,200}", now in 0..4_000_000_000_000_000_i64) {
        let now = Timestamp::from_unix_micros(now);
        let sealed = SealedRequest::new(request(&state), now).seal(&keys(&[1])).unwrap();
        let opened = SealedRequest::open(&sealed, &keys(&[1]), now).unwrap();
        prop_assert_eq!(opened.request.state, Some(state));
        prop_assert_eq!(opened.requested_at, now.unix_micros());
    }

    #[test]
    fn a_changed_bit_is_noticed(position in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut bytes = from_base64url(&sealed()).unwrap();
        let position = position.index(bytes.len());
        bytes[position] ^= 1_u8 << bit;
        prop_assert!(SealedRequest::open(&base64url(&bytes), &keys(&[1]), LATE_IN_THE_HOUR).is_none());
    }

    #[test]
    fn a_shorter_or_longer_text_is_noticed(cut in any::<prop::sample::Index>(), tail in "[A-Za-z0-9_-]{1,8}") {
        let whole = sealed();
        let shorter = &whole[..cut.index(whole.len())];
        prop_assert!(SealedRequest::open(shorter, &keys(&[1]), LATE_IN_THE_HOUR).is_none());
        prop_assert!(SealedRequest::open(&(whole + &tail), &keys(&[1]), LATE_IN_THE_HOUR).is_none());
    }

    #[test]
    fn junk_does_not_open(text in "\\PC{0,80}|[A-Za-z0-9_-]{0,200}") {
        prop_assert!(SealedRequest::open(&text, &keys(&[1]), LATE_IN_THE_HOUR).is_none());
    }
}
