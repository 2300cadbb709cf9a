//! Codes, refresh tokens and secrets: one spelling each, and none but those that were issued.

use grantor::grants::AuthenticToken;
use grantor::keys::MasterKeys;
use grantor::model::GrantId;
use grantor::secret::{Secret, TokenKind, base64url};
use grantor::time::Timestamp;

use super::{Edits, Pieces, assemble, edited};

const KINDS: [TokenKind; 6] = [
    TokenKind::AuthorizationCode,
    TokenKind::RefreshToken,
    TokenKind::ClientSecret,
    TokenKind::SetPassword,
    TokenKind::InitialAccessToken,
    TokenKind::RegistrationAccessToken,
];
const WORDS: [&str; 11] = [
    "grc_",
    "grr_",
    "grs_",
    "grp_",
    "gri_",
    "grg_",
    "AAAA",
    "=",
    "-",
    "_",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
];

/// What a token's payload says, in each length that some kind has.
fn payloads(kind: TokenKind, text: &str) -> Vec<Vec<u8>> {
    let of = |payload: Option<&[u8]>| payload.map(<[u8]>::to_vec);
    [
        of(kind.decode::<48>(text).as_ref().map(|payload| &payload[..])),
        of(kind.decode::<68>(text).as_ref().map(|payload| &payload[..])),
        of(kind.decode::<32>(text).as_ref().map(|payload| &payload[..])),
        of(kind.decode::<1>(text).as_ref().map(|payload| &payload[..])),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn assert_has_one_spelling(text: &str) {
    for kind in KINDS {
        for payload in payloads(kind, text) {
            assert_eq!(kind.encode(&payload).expose(), text);
        }
    }
}

#[test]
fn each_token_has_one_spelling() {
    bolero::check!().with_type::<(u8, Vec<u8>, Edits)>().for_each(|(kind, payload, edits)| {
        let token = KINDS[usize::from(*kind) % KINDS.len()].encode(payload);
        assert_has_one_spelling(token.expose());
        if let Some(changed) = edited(token.expose(), edits) {
            assert_has_one_spelling(&changed);
        }
    });
}

#[test]
fn junk_has_no_spelling() {
    bolero::check!().with_type::<Pieces>().for_each(|pieces| {
        assert_has_one_spelling(&String::from_utf8_lossy(&assemble(pieces, &WORDS)));
    });
}

fn keys(byte: u8) -> MasterKeys {
    MasterKeys::load(&[("test".to_owned(), Secret::new(base64url(&[byte; 32])))]).unwrap()
}

#[test]
fn only_a_refresh_token_that_was_issued_is_authentic() {
    let (own, others) = (keys(1), keys(2));
    let mut issued = AuthenticToken::first(GrantId::random(Timestamp::from_unix_seconds(1_000_000)));
    for _ in 0..3 {
        issued = issued.successor(own.current());
    }
    let token = issued.encode(own.current());
    let parsed = AuthenticToken::parse(token.expose(), &own).unwrap();
    assert_eq!((parsed.hash(), parsed.generation()), (issued.hash(), 3));
    assert!(AuthenticToken::parse(token.expose(), &others).is_none());
    let payload: [u8; 68] = TokenKind::RefreshToken.decode(token.expose()).unwrap();
    bolero::check!().with_type::<(bool, Edits)>().for_each(|(has_checksum, edits)| {
        let forged = if *has_checksum {
            let mut forged = payload;
            for (at, _, byte) in edits {
                forged[usize::from(*at) % forged.len()] = *byte;
            }
            TokenKind::RefreshToken.encode(&forged).expose().clone()
        } else {
            edited(token.expose(), edits).unwrap_or_default()
        };
        let is_authentic = AuthenticToken::parse(&forged, &own).is_some();
        assert_eq!(is_authentic, forged == *token.expose());
    });
}
