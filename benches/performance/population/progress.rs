//! How far the seeder is: a bar on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Percent between two lines where there is no terminal.
const LINE_EVERY: u64 = 10;

/// Counts rows. Shared by all that write them.
pub struct Progress {
    bar: ProgressBar,
    /// The percentage of the last line; `None` on a terminal.
    told: Option<Mutex<u64>>,
}

impl Progress {
    pub fn new(what: &str, rows: u64) -> Self {
        let on_terminal = stderr().is_terminal();
        let target = if on_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(rows), target);
        let template = "{prefix} [{bar:30}] {human_pos}/{human_len} rows, {per_sec}, {eta} left  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, told: (!on_terminal).then_some(Mutex::new(0)) }
    }

    /// So many more rows are written.
    pub fn add(&self, rows: u64) {
        self.bar.inc(rows);
        let percent = self.bar.position() * 100 / self.bar.length().unwrap_or(1).max(1);
        let Some(told) = &self.told else { return };
        let mut told = told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if percent >= *told + LINE_EVERY {
            *told = percent - percent % LINE_EVERY;
            self.line(&format!("{told} %"));
        }
    }

    /// What takes long beside writing rows.
    pub fn say(&self, step: &str) {
        match &self.told {
            None => self.bar.set_message(step.to_owned()),
            Some(_) => self.line(step),
        }
    }

    fn line(&self, text: &str) {
        eprintln!("{}: {text} after {} s", self.bar.prefix(), self.bar.elapsed().as_secs());
    }

    pub fn finish(&self) {
        self.say("done");
        self.bar.finish();
    }
}
