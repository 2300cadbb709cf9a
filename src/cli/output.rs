//! What commands print: one JSON value for programs, or a text for people.

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{LineStyle, Table};
use serde::Serialize;

use super::CommandError;

/// Writes the result of a command to standard output.
pub fn print<T: Serialize>(json: bool, value: &T, text: impl FnOnce() -> String) -> Result<(), CommandError> {
    let text = if json {
        serde_json::to_string_pretty(value).map_err(|error| CommandError::new("server_error", error))?
    } else {
        text()
    };
    match writeln!(io::stdout(), "{}", text.trim_end()) {
        // Who reads no further, for example `head`, has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CommandError::new("server_error", format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard output at once.
pub fn say(line: &str) {
    let mut stdout = io::stdout();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// Tells a person something beside the result.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Writes an error to standard error, as JSON or as text.
pub fn print_error(json: bool, error: &CommandError) {
    let text = match serde_json::to_string(error) {
        Ok(text) if json => text,
        _ => error.description().lines().map(|line| format!("error: {line}\n")).collect(),
    };
    let _ = writeln!(io::stderr(), "{}", text.trim_end());
}

/// A table with a line under its head; `none` where there is no row.
pub fn table<const N: usize>(head: [&str; N], rows: Vec<[String; N]>, none: &str) -> String {
    if rows.is_empty() {
        return none.to_owned();
    }
    let mut table = Table::new();
    table.load_style(NOTHING.header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_header(head).add_rows(rows);
    table.to_string()
}

/// Names and values, one pair a line, the values in one column. Further lines of a value stand below it.
pub fn pairs(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (name, value) in pairs {
        let value = if value.is_empty() { "-" } else { value };
        for (number, line) in value.lines().enumerate() {
            let name = if number == 0 { name } else { "" };
            text.push_str(&format!("{name:width$}  {line}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_aligned() {
        let text =
            pairs(&[("name", "Demo".into()), ("redirect_uris", "a\nb".into()), ("scope", String::new())]);
        assert_eq!(text, "name           Demo\nredirect_uris  a\n               b\nscope          -\n");
    }

    #[test]
    fn an_empty_table_says_so() {
        assert_eq!(table(["name"], vec![], "no clients"), "no clients");
        assert!(table(["name"], vec![["demo".to_owned()]], "no clients").contains("demo"));
    }
}
