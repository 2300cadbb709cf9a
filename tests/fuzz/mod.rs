//! Fuzz targets: what comes from outside, with properties that must hold of whatever is accepted. As ordinary tests
//! each runs for a second; `script/fuzz` lets them run longer. Parsers that only the web room sees have theirs
//! beside them, in tests that begin with `fuzz_`.
//!
//! A failure is printed with its smallest input and with `BOLERO_RANDOM_SEED`, which plays it again. It becomes an
//! ordinary test beside the parser.

mod authorization_parameters;
mod basic_credentials;
mod claims_requests;
mod client_assertions;
mod client_metadata;
mod form_bodies;
mod id_token_hints;
mod jwts;
mod opaque_tokens;
mod redirect_uris;
mod sealed_requests;

/// What a text is put together from: words of a dictionary, and now and then any byte.
type Pieces = Vec<(u8, u8)>;

fn assemble(pieces: &[(u8, u8)], dictionary: &[&str]) -> Vec<u8> {
    let mut text = Vec::new();
    for (kind, value) in pieces {
        match kind % 8 {
            0 => text.push(*value),
            _ => text.extend_from_slice(dictionary[usize::from(*value) % dictionary.len()].as_bytes()),
        }
    }
    text
}

/// A few words, each after a comma: further members of a JSON object.
fn further_members(pieces: &Pieces, dictionary: &[&str]) -> Vec<u8> {
    pieces.chunks(1).take(3).flat_map(|piece| [b",".to_vec(), assemble(piece, dictionary)].concat()).collect()
}

/// Changes of a text: where, what is done there, and with which byte.
type Edits = Vec<(u16, u8, u8)>;

/// The text after these changes; `None` where nothing has changed or it is no text any more.
fn edited(text: &str, edits: &Edits) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    for (at, what, byte) in edits.iter().take(4) {
        let at = usize::from(*at) % (bytes.len() + 1);
        let end = bytes.len().min(at + 1 + usize::from(*byte));
        match what % 6 {
            0 if at < bytes.len() => bytes[at] = *byte,
            1 if at < bytes.len() => bytes[at] ^= 1 << (byte % 8),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => bytes.insert(at, *byte),
            4 => drop(bytes.drain(at..end)),
            _ => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
    String::from_utf8(bytes).ok().filter(|changed| changed != text)
}

/// The pairs of a form as a library reads them that refuses nothing.
fn lenient(form: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(form).into_owned().collect()
}

/// The only value of this name.
fn only<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut values = pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str());
    let first = values.next();
    assert_eq!(values.next(), None, "'{name}' stands twice");
    first.filter(|value| !value.is_empty())
}
