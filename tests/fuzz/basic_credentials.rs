//! HTTP Basic as OAuth has it (RFC 6749 §2.3.1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grantor::protocol::{ClientCredentials, Parameters};

use super::{Pieces, assemble};

const WORDS: [&str; 14] = [
    "Basic ",
    "basic ",
    "BASIC  ",
    "Bearer ",
    " ",
    "=",
    "==",
    "YXBw",
    "OnMzY3JldA",
    "%3A",
    ":",
    "\t",
    "YTpi",
    "+",
];

fn read(header: &str) -> Option<(String, String)> {
    match ClientCredentials::from_request(Some(header), &Parameters::default()).ok()? {
        ClientCredentials::Basic { client_id, client_secret } => {
            Some((client_id, client_secret.expose().clone()))
        }
        other => panic!("a header is Basic or refused: {other:?}"),
    }
}

fn written(client_id: &str, client_secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(client_id), encode(client_secret))))
}

#[test]
fn what_a_client_encodes_is_read_back() {
    bolero::check!().with_type::<(String, String)>().for_each(|(client_id, client_secret)| {
        let is_text = |text: &str| !text.chars().any(char::is_control);
        let read = read(&written(client_id, client_secret));
        if is_text(client_id) && is_text(client_secret) && !client_id.is_empty() {
            assert_eq!(read, Some((client_id.clone(), client_secret.clone())));
        } else {
            assert_eq!(read, None);
        }
    });
}

#[test]
fn a_header_means_one_thing_or_nothing() {
    bolero::check!().with_type::<(bool, Pieces)>().for_each(|(is_encoded, pieces)| {
        let bytes = assemble(pieces, &WORDS);
        let header = if *is_encoded {
            format!("Basic {}", STANDARD.encode(&bytes))
        } else {
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let Some((client_id, client_secret)) = read(&header) else { return };
        assert!(!client_id.is_empty());
        assert!(!client_id.chars().chain(client_secret.chars()).any(char::is_control));
        assert_eq!(read(&written(&client_id, &client_secret)), Some((client_id, client_secret)));
    });
}
