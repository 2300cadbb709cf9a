//! The `grantor` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    grantor::cli::main()
}
