//! The output of callgrind, in its format without compression.

/// What the library of cryptography does is its own business: it chooses its code by the processor.
const CRYPTOGRAPHY: &str = "aws_lc_";

/// The instructions in a dump, but for what Rust calls of the library of cryptography. That is written in C and
/// assembler, and calls nothing of ours.
pub fn instructions_of_rust(dump: &str) -> u64 {
    let (mut all, mut cryptography) = (0, 0);
    let (mut function, mut callee) = ("", None);
    for line in dump.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = name;
        } else if let Some(name) = line.strip_prefix("cfn=") {
            callee = Some(name);
        } else if line.starts_with(|first: char| first.is_ascii_digit()) {
            let cost = line.split(' ').nth(1).and_then(|cost| cost.parse::<u64>().ok()).unwrap_or(0);
            match callee.take() {
                // The whole cost of a call, which its functions tell too.
                Some(callee) if is_cryptography(callee) && is_rust(function) => cryptography += cost,
                Some(_) => {}
                None => all += cost,
            }
        }
    }
    all - cryptography
}

fn is_cryptography(function: &str) -> bool {
    function.starts_with(CRYPTOGRAPHY) && !is_rust(function)
}

/// A name in Rust has its module before it.
fn is_rust(function: &str) -> bool {
    function.contains("::")
}
