//! A JSON object read member by member, so that a refusal can name the one at fault.

use std::fmt;

use serde_json::{Map, Value};

use crate::protocol::ClientRegistrationError;
use crate::protocol::strict_json::StrictJson;

/// Longest text of a member, in bytes, and most entries of a list. Most members have limits of their own below it.
const LONGEST_TEXT: usize = 4096;
const MOST_ENTRIES: usize = 100;

/// The members of an object, each of which stands once.
pub struct Members(Map<String, Value>);

impl Members {
    /// Reads an object.
    pub fn read(json: &[u8]) -> Result<Self, ClientRegistrationError> {
        let problem = match serde_json::from_slice(json) {
            Ok(StrictJson(Value::Object(members))) => return Ok(Self(members)),
            Ok(_) => "it is not a JSON object",
            // What was JSON as far as it was read.
            Err(error) if error.is_data() => "a member stands twice",
            Err(_) => "it is not JSON",
        };
        Err(ClientRegistrationError::invalid_client_metadata(format!("the body is refused: {problem}")))
    }

    /// A text; an empty one and `null` say nothing (RFC 7592 §2.2).
    pub fn text(&self, name: &'static str) -> Result<Option<String>, ClientRegistrationError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) if text.len() > LONGEST_TEXT => {
                refuse(name, format!("is longer than {LONGEST_TEXT} bytes"))
            }
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => refuse(name, "is not a string"),
        }
    }

    /// A list of texts.
    pub fn texts(&self, name: &'static str) -> Result<Option<Vec<String>>, ClientRegistrationError> {
        let entries = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(entries)) => entries,
            Some(_) => return refuse(name, "is not an array of strings"),
        };
        if entries.len() > MOST_ENTRIES {
            return refuse(name, format!("has more than {MOST_ENTRIES} entries"));
        }
        let text = |entry: &Value| match entry {
            Value::String(text) if text.len() > LONGEST_TEXT => {
                refuse(name, format!("has an entry of more than {LONGEST_TEXT} bytes"))
            }
            Value::String(text) => Ok(text.clone()),
            _ => refuse(name, "is not an array of strings"),
        };
        entries.iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// A yes or no. Some libraries write it as a string.
    pub fn flag(&self, name: &'static str) -> Result<bool, ClientRegistrationError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text == "true" => Ok(true),
            Some(Value::String(text)) if text == "false" => Ok(false),
            Some(_) => refuse(name, "is neither true nor false"),
        }
    }

    /// A number of seconds that the database can hold.
    pub fn seconds(&self, name: &'static str) -> Result<Option<u32>, ClientRegistrationError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64().map(i32::try_from) {
                Some(Ok(seconds)) => Ok(Some(seconds.unsigned_abs())),
                _ => refuse(name, "is not a whole number of seconds from 0 to 2147483647"),
            },
        }
    }

    /// Anything; `null` says nothing.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

/// Refuses the request because of this member.
pub fn refuse<T>(name: &str, problem: impl fmt::Display) -> Result<T, ClientRegistrationError> {
    Err(ClientRegistrationError::invalid_client_metadata(format!("'{name}' {problem}")))
}
