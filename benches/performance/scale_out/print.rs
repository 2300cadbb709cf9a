//! What a run has found, for people.

use std::fs;
use std::path::Path;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

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
        println!("One answer of one process:\n{}\n", self.costs());
        println!("Processes on the same cores and one database, answers per second:\n{}\n", self.processes());
        println!("What moves the database:\n{}", self.moved());
        if let Some(error) = &self.first_error {
            println!("\nWRONG: {} errors; the first:\n{error}", self.errors);
        }
    }

    fn costs(&self) -> Table {
        let mut table =
            table(&["row", "answers/s", "server µs", "database µs", "WAL bytes", "answers per sync"]);
        for cost in &self.costs {
            table.add_row([
                cost.row.to_owned(),
                format!("{:.0}", cost.per_second),
                format!("{:.0}", cost.server_micros),
                format!("{:.0}", cost.database_micros),
                format!("{:.0}", cost.wal_bytes),
                cost.answers_per_sync.map_or_else(|| "–".to_owned(), |answers| format!("{answers:.1}")),
            ]);
        }
        table
    }

    fn processes(&self) -> Table {
        let heads = PROCESSES.map(|count| format!("{count}"));
        let mut table = table(&[&["row"][..], &heads.each_ref().map(String::as_str)].concat());
        for processes in &self.processes {
            let cells = processes.per_second.iter().zip(&processes.ratios);
            let cells = cells.map(|(per_second, ratio)| format!("{per_second:.0} ({ratio:.2})"));
            table.add_row(std::iter::once(processes.row.to_owned()).chain(cells));
        }
        table
    }

    fn moved(&self) -> Table {
        let mut table = table(&["lever", "work", "without/s", "with/s", "ratio"]);
        for moved in &self.moved {
            table.add_row([
                moved.lever.clone(),
                moved.work.clone(),
                format!("{:.0}", moved.without),
                format!("{:.0}", moved.with),
                format!("{:.2}", moved.ratio),
            ]);
        }
        table
    }
}

fn table(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(heads);
    for column in 1..heads.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
