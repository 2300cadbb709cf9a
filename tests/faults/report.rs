//! What a row measured, beside what it should have been.

use std::fmt::{self, Display};
use std::time::Duration;

/// One figure.
struct Figure {
    what: String,
    measured: String,
    /// The bar, and whether it was met.
    bar: Option<(String, bool)>,
}

/// A row's figures.
#[derive(Default)]
pub struct Report {
    figures: Vec<Figure>,
    /// Why it was not run.
    pub skipped: Option<String>,
}

impl Report {
    /// A row that could not be run here.
    pub fn skipped(why: impl Into<String>) -> Self {
        Self { skipped: Some(why.into()), ..Self::default() }
    }

    /// A figure without a bar.
    pub fn told(&mut self, what: &str, measured: impl Display) {
        self.figures.push(Figure { what: what.to_owned(), measured: measured.to_string(), bar: None });
    }

    /// A count that must be this one.
    pub fn exactly(&mut self, what: &str, measured: usize, wanted: usize) {
        self.judged(what, measured.to_string(), wanted.to_string(), measured == wanted);
    }

    /// A count that must not be less.
    pub fn at_least(&mut self, what: &str, measured: usize, least: usize) {
        self.judged(what, measured.to_string(), format!("≥ {least}"), measured >= least);
    }

    /// A time that must not be longer.
    pub fn within(&mut self, what: &str, measured: Duration, longest: Duration) {
        self.judged(what, in_words(measured), format!("≤ {}", in_words(longest)), measured <= longest);
    }

    /// A share that must not be smaller, of 1.
    pub fn share(&mut self, what: &str, measured: f64, least: f64) {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        self.judged(what, percent(measured), format!("≥ {}", percent(least)), measured >= least);
    }

    /// A factor that must not be greater.
    pub fn factor(&mut self, what: &str, measured: f64, greatest: f64) {
        self.judged(what, format!("{measured:.2} ×"), format!("≤ {greatest:.1} ×"), measured <= greatest);
    }

    /// Something that must be so.
    pub fn must(&mut self, what: &str, is_so: bool) {
        self.judged(what, if is_so { "yes" } else { "no" }.to_owned(), "yes".to_owned(), is_so);
    }

    fn judged(&mut self, what: &str, measured: String, bar: String, met: bool) {
        self.figures.push(Figure { what: what.to_owned(), measured, bar: Some((bar, met)) });
    }

    /// Whether every bar was met.
    pub fn is_good(&self) -> bool {
        self.figures.iter().all(|figure| figure.bar.as_ref().is_none_or(|(_, met)| *met))
    }

    /// In one word.
    pub fn word(&self) -> &'static str {
        match (&self.skipped, self.is_good()) {
            (Some(_), _) => "skipped",
            (None, true) => "good",
            (None, false) => "MISSED",
        }
    }

    /// As rows of a table in Markdown, for `docs/reliability.md`.
    pub fn table(&self, row: &str) -> String {
        let line = |figure: &Figure| {
            let (bar, mark) = match &figure.bar {
                None => ("", ""),
                Some((bar, true)) => (bar.as_str(), ""),
                Some((bar, false)) => (bar.as_str(), " **missed**"),
            };
            format!("| {row} | {} | {}{mark} | {bar} |\n", figure.what, figure.measured)
        };
        self.figures.iter().map(line).collect()
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = &self.skipped {
            writeln!(f, "      {why}")?;
        }
        for Figure { what, measured, bar } in &self.figures {
            match bar {
                None => writeln!(f, "      {what}: {measured}")?,
                Some((bar, met)) => {
                    let mark = if *met { "  " } else { "!!" };
                    writeln!(f, "   {mark} {what}: {measured} (bar: {bar})")?;
                }
            }
        }
        Ok(())
    }
}

/// Seconds from one second on, else milliseconds.
pub fn in_words(time: Duration) -> String {
    if time >= Duration::from_secs(1) {
        format!("{:.2} s", time.as_secs_f64())
    } else {
        format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
    }
}
