//! What a run has found, as the tables of `docs/scaling.md`.

use std::fs;
use std::path::Path;

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;

use super::{PROCESSES, ScaleOut};

impl ScaleOut {
    pub fn write(&self, file: &Path) -> std::io::Result<()> {
        if let Some(directory) = file.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(file, serde_json::to_vec_pretty(self)?)
    }

    pub fn print(&self) {
        let machine = &self.machine;
        println!("machine     {}; load average {}", machine.processor, machine.load_average);
        println!("cores       {}", machine.cores);
        println!("versions    {}, PostgreSQL {}\n", machine.grantor, machine.postgresql);
        println!("<!-- From `script/bench scale-out`, the first table. -->\n{}\n", self.costs());
        println!("<!-- The second table. -->\n{}\n", self.processes());
        println!("<!-- The third table. -->\n{}\n", self.moved());
        if let Some(error) = &self.first_error {
            println!("\nWRONG: {} errors; the first:\n{error}", self.errors);
        }
    }

    fn costs(&self) -> Table {
        let mut table = table(&[
            "one answer of one process",
            "answers/s",
            "server µs",
            "database µs",
            "WAL bytes",
            "answers per sync",
        ]);
        for cost in &self.costs {
            table.add_row([
                cost.row.to_owned(),
                grouped(cost.per_second),
                grouped(cost.server_micros),
                grouped(cost.database_micros),
                grouped(cost.wal_bytes),
                cost.answers_per_sync.map_or_else(|| "–".to_owned(), |answers| format!("{answers:.1}")),
            ]);
        }
        table
    }

    fn processes(&self) -> Table {
        let heads =
            PROCESSES.map(|count| if count == 1 { "1 process".to_owned() } else { count.to_string() });
        let mut table = table(&[&["answers/s"][..], &heads.each_ref().map(String::as_str)].concat());
        for processes in &self.processes {
            let cells = processes.per_second.iter().zip(&processes.ratios);
            let cells = cells.enumerate().map(|(number, (per_second, ratio))| match number {
                0 => grouped(*per_second),
                _ => format!("{} ({ratio:.2})", grouped(*per_second)),
            });
            table.add_row(std::iter::once(processes.row.to_owned()).chain(cells));
        }
        table
    }

    fn moved(&self) -> Table {
        let mut table = table(&["tried", "work", "without/s", "with/s", "ratio"]);
        for moved in &self.moved {
            table.add_row([
                moved.lever.clone(),
                moved.work.clone(),
                grouped(moved.without),
                grouped(moved.with),
                format!("{:.2}", moved.ratio),
            ]);
        }
        table
    }
}

fn table(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(heads);
    table
}

/// A whole number with a comma after its thousands.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let (head, rest) = digits.split_at(digits.len().saturating_sub(1) % 3 + 1);
    let rest = rest
        .as_bytes()
        .chunks(3)
        .flat_map(|three| std::iter::once(',').chain(three.iter().map(|digit| char::from(*digit))));
    head.chars().chain(rest).collect()
}
