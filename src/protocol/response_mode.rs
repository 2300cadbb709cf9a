//! The `response_mode` parameter (OAuth 2.0 Multiple Response Type Encoding Practices §2.1, Form Post Response Mode §2).

use serde::{Deserialize, Serialize};

use super::parameters::Parameters;

/// How an authorization response reaches the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of the redirect URI: what the response type `code` means by itself.
    #[default]
    Query,
    /// In a form that the browser posts to the redirect URI.
    FormPost,
}

impl ResponseMode {
    /// All values.
    pub const ALL: [Self; 2] = [Self::Query, Self::FormPost];

    /// As it stands in the parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }

    /// The mode of every answer to this request, errors of the request itself among them: the one that was asked for,
    /// or, where that cannot be told or used, the ordinary one.
    pub fn of_answers(parameters: &Parameters, redirect_uri: &str) -> Self {
        let wanted = parameters.get("response_mode").ok().flatten();
        let known = Self::ALL.into_iter().find(|mode| wanted == Some(mode.as_str()));
        known.filter(|mode| mode.can_reach(redirect_uri)).unwrap_or_default()
    }

    /// Reads the parameter.
    ///
    /// # Errors
    /// An unknown value, or one that cannot reach this redirect URI.
    pub fn parse(text: &str, redirect_uri: &str) -> Result<Self, ResponseModeError> {
        let known = Self::ALL.into_iter().find(|mode| mode.as_str() == text);
        let mode = known.ok_or(ResponseModeError::Unknown)?;
        if mode.can_reach(redirect_uri) { Ok(mode) } else { Err(ResponseModeError::NoWebAddress) }
    }

    /// Whether this is the mode that goes without saying.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// A browser posts a form to a web server, and to no private-use scheme (RFC 8252 §7.1).
    fn can_reach(self, redirect_uri: &str) -> bool {
        self == Self::Query || redirect_uri.starts_with("https://") || redirect_uri.starts_with("http://")
    }
}

/// Why a `response_mode` parameter cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResponseModeError {
    /// A value that is not in [`ResponseMode::ALL`].
    #[error("this 'response_mode' is not supported: send query or form_post, or leave it out")]
    Unknown,
    /// `form_post` to an app on a device.
    #[error(
        "the 'response_mode' form_post needs a redirect URI of http or https: send query, or leave it out"
    )]
    NoWebAddress,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const WEB: &str = "https://app.example/cb";
    const DEVICE: &str = "com.example.app:/cb";

    #[rstest]
    #[case("query", WEB, Ok(ResponseMode::Query))]
    #[case("query", DEVICE, Ok(ResponseMode::Query))]
    #[case("form_post", WEB, Ok(ResponseMode::FormPost))]
    #[case("form_post", "http://127.0.0.1:3000/cb", Ok(ResponseMode::FormPost))]
    #[case("form_post", DEVICE, Err(ResponseModeError::NoWebAddress))]
    #[case("fragment", WEB, Err(ResponseModeError::Unknown))]
    #[case("web_message", WEB, Err(ResponseModeError::Unknown))]
    #[case("query.jwt", WEB, Err(ResponseModeError::Unknown))]
    #[case("FORM_POST", WEB, Err(ResponseModeError::Unknown))]
    fn decision_table(
        #[case] text: &str,
        #[case] redirect_uri: &str,
        #[case] expected: Result<ResponseMode, ResponseModeError>,
    ) {
        assert_eq!(ResponseMode::parse(text, redirect_uri), expected);
        // The answer to a request that is refused for its mode is an ordinary redirect.
        let parameters = Parameters::parse(format!("response_mode={text}").as_bytes()).unwrap();
        assert_eq!(ResponseMode::of_answers(&parameters, redirect_uri), expected.unwrap_or_default());
    }

    #[rstest]
    #[case("")]
    #[case("response_mode=")]
    #[case("response_mode=form_post&response_mode=form_post")]
    fn without_a_mode_that_can_be_told_answers_are_ordinary(#[case] query: &str) {
        let parameters = Parameters::parse(query.as_bytes()).unwrap();
        assert_eq!(ResponseMode::of_answers(&parameters, WEB), ResponseMode::Query);
    }

    #[test]
    fn a_mode_is_stored_as_it_is_sent() {
        for mode in ResponseMode::ALL {
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
        }
    }
}
