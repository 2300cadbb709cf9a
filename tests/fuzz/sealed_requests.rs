//! Sealed requests: what was sealed, unmodified and in time, or nothing.

use std::time::Duration;

use grantor::authorization::SealedRequest;
use grantor::keys::MasterKeys;
use grantor::model::SessionId;
use grantor::protocol::{AuthorizationRequest, ClientAndRedirect, Parameters};
use grantor::secret::{Secret, base64url, from_base64url};
use grantor::time::Timestamp;

use super::{Edits, Pieces, assemble, edited};

const AT: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const HOUR: u64 = 3_600_000_000;

fn keys(byte: u8) -> MasterKeys {
    MasterKeys::load(&[("test".to_owned(), Secret::new(base64url(&[byte; 32])))]).unwrap()
}

fn request(state: &str) -> Option<AuthorizationRequest> {
    let form = form_urlencoded::Serializer::new("client_id=app&response_type=code".to_owned())
        .append_pair("state", state)
        .finish();
    let parameters = Parameters::parse(form.as_bytes()).ok()?;
    let client = ClientAndRedirect::parse(&parameters).ok()?;
    AuthorizationRequest::parse(&parameters, client, "https://app.example/cb".to_owned()).ok()
}

#[test]
fn it_opens_unmodified_only() {
    let keys = keys(1);
    let sealed = SealedRequest::new(request("st4te").unwrap(), AT).seal(&keys).unwrap();
    assert!(SealedRequest::open(&sealed, &keys, AT).is_some());
    let bytes = from_base64url(&sealed).unwrap();
    bolero::check!().with_type::<(bool, Edits)>().for_each(|(is_binary, edits)| {
        let changed = if *is_binary {
            let mut changed = bytes.clone();
            for (at, _, byte) in edits {
                let at = usize::from(*at) % changed.len();
                changed[at] = *byte;
            }
            base64url(&changed)
        } else {
            edited(&sealed, edits).unwrap_or_default()
        };
        assert_eq!(SealedRequest::open(&changed, &keys, AT).is_some(), changed == sealed, "{changed}");
    });
}

#[test]
fn it_opens_for_an_hour_with_its_key_and_says_what_was_sealed() {
    let (own, other) = (keys(1), keys(2));
    bolero::check!().with_type::<(String, u64, u64)>().for_each(|(state, at, later)| {
        let Some(request) = request(state) else { return };
        // Some centuries around now.
        let at = Timestamp::from_unix_micros((at % (1 << 53)).cast_signed());
        let later = Duration::from_micros(later % (2 * HOUR));
        let (chosen_in, other_session) = (SessionId::random(), SessionId::random());
        let sealed = SealedRequest::new(request.clone(), at).for_subject(Some(state.clone()));
        assert!(!sealed.is_chosen_in(chosen_in));
        let sealed = sealed.chosen_in(chosen_in).seal(&own).unwrap();
        assert!(SealedRequest::open(&sealed, &other, at).is_none());
        match SealedRequest::open(&sealed, &own, at + later) {
            Some(opened) => {
                assert!(later < Duration::from_micros(HOUR));
                assert!(opened.request == request && opened.requested_at() == at);
                assert_eq!(opened.hinted_subject.as_ref(), Some(state));
                assert!(opened.is_chosen_in(chosen_in) && !opened.is_chosen_in(other_session));
            }
            None => assert!(later >= Duration::from_micros(HOUR)),
        }
    });
}

#[test]
fn junk_does_not_open() {
    let keys = keys(1);
    let words: Vec<String> = vec![
        base64url(keys.current().id()),
        "AAAA".to_owned(),
        "AAAAAAAAAAAAAAAAAAAA".to_owned(),
        "=".to_owned(),
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    bolero::check!().with_type::<Pieces>().for_each(|pieces| {
        let text = String::from_utf8_lossy(&assemble(pieces, &words)).into_owned();
        assert!(SealedRequest::open(&text, &keys, AT).is_none());
    });
}
