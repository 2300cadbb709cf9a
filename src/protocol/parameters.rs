//! The parameters of a request, from a form or a query.

use crate::secret::Secret;

/// Longest body or query in bytes.
pub const LONGEST_INPUT: usize = 64 * 1024;
/// Most parameters in a request.
pub const MOST_PARAMETERS: usize = 200;
/// Longest name of a parameter in bytes, decoded.
pub const LONGEST_NAME: usize = 256;
/// A name in an error message is cut here.
const LONGEST_SHOWN_NAME: usize = 40;

/// Names and values in the order of the request. `Debug` shows the names only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters(Vec<(String, Secret<String>)>);

impl Parameters {
    /// Parses `application/x-www-form-urlencoded` (RFC 6749 appendix B) strictly.
    ///
    /// # Errors
    /// Broken percent escapes, text that is not UTF-8 or has control characters (PostgreSQL cannot
    /// store NUL, and no value of the protocol has a line break), and more than the limits allow.
    pub fn parse(input: &[u8]) -> Result<Self, ParametersError> {
        if input.len() > LONGEST_INPUT {
            return Err(ParametersError::TooLong);
        }
        let mut parameters = Vec::new();
        for pair in input.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()) {
            if parameters.len() == MOST_PARAMETERS {
                return Err(ParametersError::TooMany);
            }
            parameters.push(parse_pair(pair)?);
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter that may stand once. RFC 6749 §3.1: without a value it counts as omitted.
    ///
    /// # Errors
    /// When the name occurs more than once, even if only one has a value.
    pub fn get(&self, name: &str) -> Result<Option<&str>, ParametersError> {
        let mut values = self.0.iter().filter(|(n, _)| n == name);
        let first = values.next();
        // RFC 6749 §3.1: parameters must not be included more than once.
        if values.next().is_some() {
            return Err(ParametersError::Repeated(shown(name.as_bytes())));
        }
        Ok(first.map(|(_, value)| value.expose().as_str()).filter(|value| !value.is_empty()))
    }

    /// The values of a parameter that may be repeated, such as `resource` (RFC 8707 §2).
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.expose().as_str())
            .filter(|value| !value.is_empty())
    }

    /// The same parameters in the form of a query.
    pub fn to_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.0.iter().map(|(name, value)| (name, value.expose())));
        query.finish()
    }

    /// Whether the name occurs at all, even without a value.
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }

    /// Refuses any parameter that occurs more than once (RFC 6749 §3.1), those in `repeatable` excepted.
    ///
    /// # Errors
    /// Names the first that is repeated.
    pub fn refuse_repeated(&self, repeatable: &[&str]) -> Result<(), ParametersError> {
        // At most some hundred: all pairs are compared sooner than a set is made.
        let is_repeated = |at: usize, name: &str| self.0[..at].iter().any(|(before, _)| before == name);
        let mut names = self.0.iter().map(|(name, _)| name.as_str()).enumerate();
        match names.find(|(at, name)| is_repeated(*at, name) && !repeatable.contains(name)) {
            Some((_, name)) => Err(ParametersError::Repeated(shown(name.as_bytes()))),
            None => Ok(()),
        }
    }

    /// The bytes of all values together.
    pub fn length_of_values(&self) -> usize {
        self.0.iter().map(|(_, value)| value.expose().len()).sum()
    }
}

/// Why a request's parameters cannot be used. A name in it is safe to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParametersError {
    /// Longer than [`LONGEST_INPUT`].
    #[error("the request is longer than {LONGEST_INPUT} bytes")]
    TooLong,
    /// More than [`MOST_PARAMETERS`].
    #[error("the request has more than {MOST_PARAMETERS} parameters")]
    TooMany,
    /// A name is longer than [`LONGEST_NAME`].
    #[error("a parameter has a name of more than {LONGEST_NAME} bytes")]
    NameTooLong,
    /// A name or a value cannot be decoded.
    #[error("the parameter '{name}' {fault}")]
    Malformed {
        /// Its name, as far as it can be shown.
        name: String,
        /// What is wrong with it.
        fault: DecodeError,
    },
    /// A parameter that may stand once occurs again.
    #[error("the parameter '{0}' is given more than once: send it once")]
    Repeated(String),
}

/// What is wrong with an encoded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A `%` without two hexadecimal digits.
    #[error("has a '%' that two hexadecimal digits do not follow")]
    BadEscape,
    /// The decoded bytes are no text.
    #[error("is not UTF-8")]
    NotUtf8,
    /// NUL, a line break, a tab or another control character.
    #[error("has a control character")]
    ControlCharacter,
}

fn parse_pair(pair: &[u8]) -> Result<(String, Secret<String>), ParametersError> {
    let mut halves = pair.splitn(2, |&byte| byte == b'=');
    let raw_name = halves.next().unwrap_or_default();
    let malformed = |fault| ParametersError::Malformed { name: shown(raw_name), fault };
    let name = form_decode(raw_name).map_err(malformed)?;
    if name.len() > LONGEST_NAME {
        return Err(ParametersError::NameTooLong);
    }
    let value = form_decode(halves.next().unwrap_or_default()).map_err(malformed)?;
    Ok((name, Secret::new(value)))
}

/// Decodes one name or value of `application/x-www-form-urlencoded` strictly.
pub(super) fn form_decode(encoded: &[u8]) -> Result<String, DecodeError> {
    let has_escapes = encoded.contains(&b'%') || encoded.contains(&b'+');
    let decoded = if has_escapes { unescape(encoded)? } else { encoded.to_vec() };
    let text = String::from_utf8(decoded).map_err(|_| DecodeError::NotUtf8)?;
    // Without an end before the last byte, the compiler looks at many at once.
    let has_control = if text.is_ascii() {
        text.bytes().fold(false, |found, byte| found | byte.is_ascii_control())
    } else {
        text.chars().any(char::is_control)
    };
    if has_control { Err(DecodeError::ControlCharacter) } else { Ok(text) }
}

fn unescape(encoded: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter().copied();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex_digit(bytes.next())? << 4 | hex_digit(bytes.next())?,
            other => other,
        });
    }
    Ok(decoded)
}

fn hex_digit(byte: Option<u8>) -> Result<u8, DecodeError> {
    match byte {
        Some(digit @ b'0'..=b'9') => Ok(digit - b'0'),
        Some(digit @ b'a'..=b'f') => Ok(digit - b'a' + 10),
        Some(digit @ b'A'..=b'F') => Ok(digit - b'A' + 10),
        _ => Err(DecodeError::BadEscape),
    }
}

/// A name as an error message may show it: short, and letters, digits and `_ - .` only.
fn shown(name: &[u8]) -> String {
    let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    name.iter()
        .take(LONGEST_SHOWN_NAME)
        .map(|byte| if harmless(byte) { char::from(*byte) } else { '?' })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn parse(text: &str) -> Parameters {
        Parameters::parse(text.as_bytes()).unwrap()
    }

    #[rstest]
    #[case(b"a=%", "the parameter 'a' has a '%'")]
    #[case(b"a=%zz", "the parameter 'a' has a '%'")]
    #[case(b"a=%4", "the parameter 'a' has a '%'")]
    #[case(b"a=%+4", "the parameter 'a' has a '%'")]
    #[case(b"state=%ff", "the parameter 'state' is not UTF-8")]
    #[case(b"state=\xff", "the parameter 'state' is not UTF-8")]
    #[case(b"state=%ED%A0%80", "the parameter 'state' is not UTF-8")]
    #[case(b"code=%00", "the parameter 'code' has a control character")]
    #[case(b"code=a\0", "the parameter 'code' has a control character")]
    #[case(b"state=a%0d%0aSet-Cookie:x", "the parameter 'state' has a control character")]
    #[case(b"state=%09", "the parameter 'state' has a control character")]
    #[case(b"state=%C2%85", "the parameter 'state' has a control character")]
    #[case(b"<b>%00=x", "the parameter '?b??00' has a control character")]
    fn malformed_text_is_refused_by_name(#[case] input: &[u8], #[case] message: &str) {
        let error = Parameters::parse(input).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }

    #[test]
    fn limits_hold() {
        let at = |n: usize| Parameters::parse("a=1&".repeat(n).as_bytes());
        assert!(at(MOST_PARAMETERS).is_ok());
        assert_eq!(at(MOST_PARAMETERS + 1), Err(ParametersError::TooMany));
        assert!(Parameters::parse(&[b'a'; LONGEST_NAME]).is_ok());
        assert_eq!(Parameters::parse(&[b'a'; LONGEST_NAME + 1]), Err(ParametersError::NameTooLong));
        let long = |n: usize| Parameters::parse(&[b"a=", vec![b'x'; n].as_slice()].concat());
        assert!(long(LONGEST_INPUT - 2).is_ok());
        assert_eq!(long(LONGEST_INPUT - 1), Err(ParametersError::TooLong));
    }

    #[test]
    fn an_empty_value_counts_as_omitted() {
        let parameters = parse("a=&b&c=1&=x&&");
        assert_eq!(parameters.get("a"), Ok(None));
        assert_eq!(parameters.get("b"), Ok(None));
        assert_eq!(parameters.get("c"), Ok(Some("1")));
        assert!(parameters.contains("a") && !parameters.contains("d"));
    }

    #[rstest]
    #[case("a=1&a=1")]
    #[case("a=1&a=")]
    #[case("a=&a=1")]
    #[case("a&a")]
    #[case("a=1&%61=2")]
    fn a_repeated_parameter_is_refused(#[case] input: &str) {
        let repeated = ParametersError::Repeated("a".into());
        assert_eq!(parse(input).get("a"), Err(repeated.clone()));
        assert_eq!(parse(input).refuse_repeated(&["resource"]), Err(repeated));
        assert_eq!(parse(input).refuse_repeated(&["a"]), Ok(()));
    }

    #[test]
    fn a_repeatable_parameter_keeps_its_order() {
        let parameters = parse("resource=b&x=1&resource=a&resource=");
        assert_eq!(parameters.all("resource").collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn debug_output_hides_values() {
        let text = format!("{:?}", parse("code=hunter2&client_secret=hunter2&state=hunter2"));
        assert!(text.contains("client_secret") && !text.contains("hunter2"));
    }

    proptest! {
        #[test]
        fn what_a_client_encodes_is_read_back(pairs in prop::collection::vec(("[a-z_]{1,9}", "\\PC{0,20}"), 0..9)) {
            let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            let parameters = Parameters::parse(encoded.as_bytes()).unwrap();
            for (name, value) in &pairs {
                prop_assert!(value.is_empty() || parameters.all(name).any(|v| v == value));
            }
        }

        #[test]
        fn what_is_accepted_is_what_a_lenient_parser_reads(input in "[a-c=&%+0-9é]{0,40}") {
            if let Ok(parameters) = Parameters::parse(input.as_bytes()) {
                let lenient: Vec<_> = form_urlencoded::parse(input.as_bytes())
                    .map(|(n, v)| (n.into_owned(), Secret::new(v.into_owned())))
                    .collect();
                prop_assert_eq!(parameters, Parameters(lenient));
            }
        }
    }
}
