//! What redirect URIs and resource indicators have in common.

/// Longest URI in bytes.
pub(super) const LONGEST_URI: usize = 2048;

/// Refuses what is no URI without a fragment in the characters of RFC 3986 §2.
pub(super) fn check_characters(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > LONGEST_URI {
        return Err("it is longer than 2048 bytes");
    }
    if let Some(reason) = text.bytes().find_map(refused_byte) {
        return Err(reason);
    }
    let escapes_are_whole = text.split('%').skip(1).all(|after| {
        after.as_bytes().first_chunk::<2>().is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if escapes_are_whole { Ok(()) } else { Err("it has a '%' that two hexadecimal digits do not follow") }
}

fn refused_byte(byte: u8) -> Option<&'static str> {
    match byte {
        b'#' => Some("it has a fragment ('#')"),
        b'\\' => Some("it has a backslash"),
        0x80.. => {
            Some("it has a character outside ASCII: write a host name in punycode, the rest percent-encoded")
        }
        0..=b' ' | 0x7F => Some("it has a blank or a control character"),
        b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' => {
            Some("it has a character that must be percent-encoded")
        }
        _ => None,
    }
}

/// Scheme and what follows the colon. RFC 3986 §3.1; upper case is not accepted, so that one scheme has
/// one spelling.
pub(super) fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let begins_with_letter = scheme.starts_with(|c: char| c.is_ascii_lowercase());
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
    (begins_with_letter && scheme.chars().all(allowed) && !rest.is_empty()).then_some((scheme, rest))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://a", Some(("https", "//a")))]
    #[case("com.example.app:/cb", Some(("com.example.app", "/cb")))]
    #[case("urn:a:b", Some(("urn", "a:b")))]
    #[case("//a", None)]
    #[case("/a:b", None)]
    #[case("a", None)]
    #[case("a:", None)]
    #[case(":a", None)]
    #[case("1a:b", None)]
    #[case("HTTPS://a", None)]
    fn a_scheme_is_split_off(#[case] text: &str, #[case] expected: Option<(&str, &str)>) {
        assert_eq!(split_scheme(text), expected);
    }

    #[rstest]
    #[case("", "empty")]
    #[case("https://a/#", "fragment")]
    #[case("https://a\\b", "backslash")]
    #[case("https://a/ b", "blank")]
    #[case("https://a/\t", "blank")]
    #[case("https://a/\u{7f}", "blank")]
    #[case("https://ä/", "ASCII")]
    #[case("https://a/<x>", "percent-encoded")]
    #[case("https://a/%", "'%'")]
    #[case("https://a/%4", "'%'")]
    #[case("https://a/%4g", "'%'")]
    fn odd_characters_are_refused(#[case] text: &str, #[case] reason: &str) {
        assert!(check_characters(text).unwrap_err().contains(reason));
    }

    #[test]
    fn the_length_is_limited() {
        assert_eq!(check_characters(&"a".repeat(LONGEST_URI)), Ok(()));
        assert!(check_characters(&"a".repeat(LONGEST_URI + 1)).unwrap_err().contains("2048"));
    }
}
