//! What every answer of the token, introspection and revocation endpoints must be.

use super::browser::Answer;
use super::relying_party::Tokens;

/// What would tell a stranger how the server is made.
const INSIDE: [&str; 8] = ["sqlx", "postgres", "select ", "panicked", ".rs", "backtrace", "actix", "/src/"];

impl Answer {
    /// The tokens of a successful answer (RFC 6749 §5.1).
    #[track_caller]
    pub fn tokens(&self) -> Tokens {
        assert_eq!(self.status, 200, "{}", self.body);
        self.assert_is_json_for_nobody_else();
        let tokens = Tokens(self.json());
        assert_eq!(tokens.0["token_type"], "Bearer");
        tokens
    }

    /// Asserts a refusal in the form of RFC 6749 §5.2, which tells nothing of the server's inside.
    #[track_caller]
    pub fn assert_refused(&self, status: u16, error: &str) {
        assert_eq!(
            (self.status.as_u16(), self.json()["error"].as_str()),
            (status, Some(error)),
            "{}",
            self.body
        );
        self.assert_is_json_for_nobody_else();
        // Case 35.
        let body = self.body.to_lowercase();
        assert!(!INSIDE.iter().any(|word| body.contains(word)), "{}", self.body);
        assert!(!self.json()["error_description"].as_str().unwrap().is_empty());
        assert!(self.header("server").is_none());
        if status == 401 {
            // RFC 9110 §15.5.2: a 401 says how to authenticate.
            assert!(self.header("www-authenticate").unwrap().starts_with("Basic "), "{:?}", self.headers);
        }
    }

    #[track_caller]
    fn assert_is_json_for_nobody_else(&self) {
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.header("pragma"), Some("no-cache"));
    }
}
