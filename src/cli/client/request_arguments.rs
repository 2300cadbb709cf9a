//! How authorization requests of a client are answered: arguments of `grantor client create` and `update`.

use clap::Args;

use crate::cli::arguments::{Lifetime, lifetime};
use crate::clients::ClientMetadata;

#[derive(Debug, Args)]
pub struct RequestArguments {
    /// It is your own app: ask nobody for consent. Not for apps that another program could pose as [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    skip_consent: Option<bool>,
    /// People sign in again after this long, where its request does not say; such as 12h, or "default" for never
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    default_max_age: Option<Lifetime>,
    /// Whether it counts on auth_time in ID tokens, which they have in any case [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    require_auth_time: Option<bool>,
}

impl RequestArguments {
    /// Whether there is any.
    pub fn is_given(&self) -> bool {
        self.skip_consent.is_some() || self.default_max_age.is_some() || self.require_auth_time.is_some()
    }

    /// Puts what was given over what is registered.
    pub fn apply(&self, metadata: &mut ClientMetadata) {
        metadata.skip_consent = self.skip_consent.unwrap_or(metadata.skip_consent);
        let openid = &mut metadata.openid;
        openid.default_max_age = self.default_max_age.map_or(openid.default_max_age, |given| given.0);
        openid.require_auth_time = self.require_auth_time.unwrap_or(openid.require_auth_time);
    }
}
