//! What is known of a person beyond name and e-mail address: values of claims (OpenID Connect Core §5.1).

use serde_json::{Map, Value};
use time::Date;
use time::format_description::well_known::Iso8601;
use url::Url;

use crate::model::{NameProblem, check_name};
use crate::protocol::standard_claims::{is_taken, standard_claim};

/// Most bytes of all of a person's values together, as JSON: they travel in tokens and answers.
pub const MAX_ATTRIBUTES_BYTES: usize = 8 * 1024;

const MAX_TEXT_CHARACTERS: usize = 200;
const MAX_URL_BYTES: usize = 2_048;
const PHONE_NUMBER: &str = "phone_number";
const PHONE_NUMBER_VERIFIED: &str = "phone_number_verified";
/// OpenID Connect Core §5.1.1.
const ADDRESS_MEMBERS: [&str; 6] =
    ["formatted", "street_address", "locality", "region", "postal_code", "country"];

/// Why a value is not given to a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttributeProblem {
    /// Not in the form `name=value`.
    #[error("a claim is given as name=value, or as name= to remove it")]
    Form,
    /// No such claim.
    #[error("there is no claim {0:?}; see: grantor claim list, and make it with: grantor claim create")]
    Unknown(String),
    /// OpenID Connect Core §5.2.
    #[error("claims in several languages, such as {0:?}, are not supported: give one value, without '#'")]
    Language(String),
    /// It is not kept here.
    #[error("{0} cannot be set as a claim: {1}")]
    Elsewhere(String, &'static str),
    /// A text that a page could not show.
    #[error("the claim {0} {1}")]
    Text(String, NameProblem),
    /// The value has not the form that OpenID Connect Core §5.1 gives it.
    #[error("the claim {0} {1}")]
    Value(String, &'static str),
    /// More than a token can carry.
    #[error("all claims of a person together have at most {MAX_ATTRIBUTES_BYTES} bytes of JSON")]
    TooMuch,
}

/// A change of one value: `None` removes it.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeChange {
    /// The claim.
    pub name: String,
    /// Its value from now on.
    pub value: Option<Value>,
}

impl AttributeChange {
    /// Reads `name=value`, or `name=` to remove. A standard claim has its own form; what an operator added is JSON,
    /// and else a text.
    ///
    /// # Errors
    /// If the value is not one of this claim.
    pub fn parse(text: &str) -> Result<Self, AttributeProblem> {
        let (name, value) =
            text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or(AttributeProblem::Form)?;
        if name.contains('#') {
            return Err(AttributeProblem::Language(name.to_owned()));
        }
        let elsewhere = |why| Err(AttributeProblem::Elsewhere(name.to_owned(), why));
        match name {
            "email" | "email_verified" => return elsewhere("use --email and --email-verified"),
            "updated_at" => return elsewhere("it is when the account was last changed"),
            _ if is_taken(name) && standard_claim(name).is_none() => {
                return elsewhere("Grantor says it itself");
            }
            _ => {}
        }
        let value = if value.is_empty() { None } else { Some(read(name, value)?) };
        Ok(Self { name: name.to_owned(), value })
    }

    /// Makes the change. Another phone number is not known to be the person's, whatever the last one was.
    pub fn apply(&self, claims: &mut Map<String, Value>) {
        if self.name == PHONE_NUMBER && claims.get(PHONE_NUMBER) != self.value.as_ref() {
            claims.remove(PHONE_NUMBER_VERIFIED);
        }
        match &self.value {
            Some(value) => claims.insert(self.name.clone(), value.clone()),
            None => claims.remove(&self.name),
        };
    }
}

/// Makes all changes, the phone number's before whether it was checked.
///
/// # Errors
/// If it is more than a token can carry.
pub fn apply(changes: &[AttributeChange], claims: &mut Map<String, Value>) -> Result<(), AttributeProblem> {
    let (verified, others): (Vec<_>, Vec<_>) =
        changes.iter().partition(|change| change.name == PHONE_NUMBER_VERIFIED);
    others.into_iter().chain(verified).for_each(|change| change.apply(claims));
    let bytes = serde_json::to_vec(claims).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_ATTRIBUTES_BYTES { Err(AttributeProblem::TooMuch) } else { Ok(()) }
}

fn read(name: &str, text: &str) -> Result<Value, AttributeProblem> {
    let must = |fits: bool, what| {
        if fits { Ok(Value::from(text)) } else { Err(AttributeProblem::Value(name.to_owned(), what)) }
    };
    match name {
        "profile" | "picture" | "website" => {
            must(is_web_address(text), "must be an address that begins with https:// or http://")
        }
        "birthdate" => must(is_birthdate(text), "must be YYYY-MM-DD, YYYY, or 0000-MM-DD without the year"),
        "zoneinfo" => must(is_zone(text), "must be the name of a time zone, such as Europe/Paris"),
        "locale" => must(is_locale(text), "must be a language tag with hyphens, such as en or fr-CA"),
        PHONE_NUMBER => {
            must(is_phone_number(text), "must begin with + and the country, such as +1 425 555 1212")
        }
        PHONE_NUMBER_VERIFIED => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => must(false, "must be true or false"),
        },
        "address" => address(text),
        _ if standard_claim(name).is_some() => {
            check_name(text, MAX_TEXT_CHARACTERS)
                .map_err(|problem| AttributeProblem::Text(name.to_owned(), problem))?;
            Ok(Value::from(text))
        }
        _ => {
            let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
            let refused = "must not have control characters";
            if is_storable(&value) {
                Ok(value)
            } else {
                Err(AttributeProblem::Value(name.to_owned(), refused))
            }
        }
    }
}

/// OpenID Connect Core §5.1.1: an object of texts, of which two may have several lines.
fn address(text: &str) -> Result<Value, AttributeProblem> {
    let refuse = |what| Err(AttributeProblem::Value("address".to_owned(), what));
    let Ok(Value::Object(members)) = serde_json::from_str(text) else {
        return refuse(r#"must be a JSON object, such as {"locality":"Paris","country":"France"}"#);
    };
    if members.is_empty() || !members.keys().all(|name| ADDRESS_MEMBERS.contains(&name.as_str())) {
        return refuse(
            "has formatted, street_address, locality, region, postal_code and country, and nothing else",
        );
    }
    let fits = |(name, value): (&String, &Value)| {
        let lines = matches!(name.as_str(), "formatted" | "street_address");
        value.as_str().is_some_and(|text| {
            let text = if lines { text.replace(['\r', '\n'], " ") } else { text.to_owned() };
            check_name(text.trim(), 2 * MAX_TEXT_CHARACTERS).is_ok()
        })
    };
    if members.iter().all(fits) {
        Ok(Value::Object(members))
    } else {
        refuse("has texts only; lines end in formatted and street_address alone")
    }
}

/// As apps put it into their pages, some of them without care: nothing that ends an attribute of HTML, and nothing that
/// two readers of URLs read as two hosts.
fn is_web_address(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&byte);
    let begins_well = text.starts_with("https://") || text.starts_with("http://");
    let is_of_the_web = |url: Url| url.has_host() && url.username().is_empty() && url.password().is_none();
    text.len() <= MAX_URL_BYTES
        && begins_well
        && text.bytes().all(is_plain)
        && Url::parse(text).is_ok_and(is_of_the_web)
}

/// OpenID Connect Core §5.1: the year may be left out as 0000, or stand alone.
fn is_birthdate(text: &str) -> bool {
    let is_year = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    // Every day of a year is one of a leap year.
    let date = text.strip_prefix("0000-").map_or(text.to_owned(), |day| format!("2000-{day}"));
    // ISO 8601 knows days of weeks as well.
    let is_of_digits = date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    (is_year(text) && text != "0000") || is_of_digits && Date::parse(&date, &Iso8601::DATE).is_ok()
}

fn is_zone(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.split('/').all(is_word)
}

/// The shape of RFC 5646 §2.1: a language, and what says it more exactly.
fn is_locale(text: &str) -> bool {
    let is_subtag =
        |tag: &str| (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let mut tags = text.split('-');
    let language = tags.next().unwrap_or_default();
    text.len() <= 35
        && matches!(language.len(), 2..=8)
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && tags.all(is_subtag)
}

/// E.164, with what people put between the digits, and an extension as in RFC 3966 §3.
fn is_phone_number(text: &str) -> bool {
    let (number, extension) = text.split_once(";ext=").unwrap_or((text, "0"));
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let Some(number) = number.strip_prefix('+') else { return false };
    number.bytes().all(|byte| byte.is_ascii_digit() || b" -.()".contains(&byte))
        && number.starts_with(|c: char| c.is_ascii_digit())
        && number.ends_with(|c: char| c.is_ascii_digit())
        && number.len() <= 40
        && (4..=15).contains(&digits(number))
        && (1..=10).contains(&extension.len())
        && digits(extension) == extension.len()
}

/// Whether no text in it has a character that PostgreSQL cannot keep or a page cannot show.
fn is_storable(value: &Value) -> bool {
    let is_text = |text: &String| !text.chars().any(char::is_control);
    match value {
        Value::String(text) => is_text(text),
        Value::Array(values) => values.iter().all(is_storable),
        Value::Object(members) => members.iter().all(|(name, value)| is_text(name) && is_storable(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests;
