//! The `prompt` parameter (OpenID Connect Core §3.1.2.1).

use serde::{Deserialize, Serialize};

/// What the client wants the person to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Show nothing; answer with an error if something would have to be shown.
    None,
    /// Ask for the password again.
    Login,
    /// Ask for consent again.
    Consent,
    /// Let the person choose an account.
    SelectAccount,
}

impl Prompt {
    /// All values.
    pub const ALL: [Self; 4] = [Self::None, Self::Login, Self::Consent, Self::SelectAccount];

    /// As it stands in the parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }
}

/// The prompts of a request; empty where it has no such parameter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PromptSet(Vec<Prompt>);

impl PromptSet {
    /// Parses a space-separated list.
    ///
    /// # Errors
    /// An unknown value, or `none` beside another one.
    pub fn parse(text: &str) -> Result<Self, PromptError> {
        let known = |value: &str| Prompt::ALL.into_iter().find(|prompt| prompt.as_str() == value);
        let values = text.split(' ').filter(|value| !value.is_empty());
        let prompts: Vec<_> = values.map(known).collect::<Option<_>>().ok_or(PromptError::Unknown)?;
        // OpenID Connect Core §3.1.2.1: `none` with any other value is an error.
        if prompts.contains(&Prompt::None) && prompts.iter().any(|&prompt| prompt != Prompt::None) {
            return Err(PromptError::NoneWithOthers);
        }
        Ok(Self(prompts))
    }

    /// Whether the client wants this.
    pub fn contains(&self, prompt: Prompt) -> bool {
        self.0.contains(&prompt)
    }

    /// Whether the request has no prompt.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Why a `prompt` parameter cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// A value that is not in [`Prompt::ALL`].
    #[error("the parameter 'prompt' has an unknown value: use none, login, consent or select_account")]
    Unknown,
    /// `none` beside another value.
    #[error("the parameter 'prompt' has none beside another value: none stands alone")]
    NoneWithOthers,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", Ok(vec![]))]
    #[case("none", Ok(vec![Prompt::None]))]
    #[case("login consent", Ok(vec![Prompt::Login, Prompt::Consent]))]
    #[case("select_account", Ok(vec![Prompt::SelectAccount]))]
    #[case("none login", Err(PromptError::NoneWithOthers))]
    #[case("consent none", Err(PromptError::NoneWithOthers))]
    #[case("Login", Err(PromptError::Unknown))]
    #[case("login create", Err(PromptError::Unknown))]
    fn decision_table(#[case] text: &str, #[case] expected: Result<Vec<Prompt>, PromptError>) {
        assert_eq!(PromptSet::parse(text), expected.map(PromptSet));
    }

    #[test]
    fn a_prompt_is_stored_as_it_is_sent() {
        for prompt in Prompt::ALL {
            assert_eq!(serde_json::to_value(prompt).unwrap(), prompt.as_str());
        }
    }
}
