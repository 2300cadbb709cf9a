//! The statements that Grantor sends, as `.sqlx/` has them: what PostgreSQL alone does with them is a limit.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::Result;

/// A statement of Grantor's.
#[derive(Debug, Clone, Deserialize)]
pub struct Statement {
    query: String,
    describe: Describe,
}

#[derive(Debug, Clone, Deserialize)]
struct Describe {
    parameters: Parameters,
}

#[derive(Debug, Clone, Deserialize)]
struct Parameters {
    #[serde(rename = "Left")]
    types: Vec<String>,
}

impl Statement {
    /// The one statement with this text in it.
    ///
    /// # Errors
    /// If there is none, or several.
    pub fn with(fragment: &str) -> Result<Self> {
        let mut found = Vec::new();
        for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx"))? {
            let text = fs::read_to_string(file?.path())?;
            // Most files are not worth reading as JSON; what must be escaped in it is in no fragment.
            if text.contains(fragment) {
                found.push(serde_json::from_str(&text)?);
            }
        }
        match <[Self; 1]>::try_from(found) {
            Ok([statement]) => Ok(statement),
            Err(found) => Err(format!("{} statements have {fragment:?} in them", found.len()).into()),
        }
    }

    /// Its text on one line with these expressions, one for each parameter, in place of `$1`, `$2` and so on. Each gets
    /// the type that Grantor sends it with. Names of columns are stripped of what they tell sqlx.
    ///
    /// # Errors
    /// If it has another number of parameters.
    pub fn filled(&self, values: &[&str]) -> Result<String> {
        let types = &self.describe.parameters.types;
        if types.len() != values.len() {
            return Err(format!("a statement has {} parameters by now: {}", types.len(), self.query).into());
        }
        let mut text = self.query.split_whitespace().collect::<Vec<_>>().join(" ");
        text = text.replace("?\"", "\"").replace("!\"", "\"");
        // `$1` is also the beginning of `$12`.
        for (number, (value, kind)) in values.iter().zip(types).enumerate().rev() {
            let value = format!("({value})::{}", sql_type(kind)?);
            text = text.replace(&format!("${}", number + 1), &value);
        }
        Ok(text)
    }
}

/// SQL's name of what `.sqlx/` calls a type.
fn sql_type(name: &str) -> Result<&'static str> {
    Ok(match name {
        "Bool" => "boolean",
        "BoolArray" => "boolean[]",
        "Bytea" => "bytea",
        "ByteaArray" => "bytea[]",
        "Float8" => "double precision",
        "Int4" => "integer",
        "Interval" => "interval",
        "Jsonb" => "jsonb",
        "Text" => "text",
        "TextArray" => "text[]",
        "Timestamptz" => "timestamptz",
        "TimestamptzArray" => "timestamptz[]",
        "Uuid" => "uuid",
        "UuidArray" => "uuid[]",
        other => return Err(format!("the type {other} has no name here").into()),
    })
}
