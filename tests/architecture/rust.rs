//! As much of Rust as the rules need: words and signs without comments and strings, and the paths in them.

use std::collections::BTreeSet;

/// A word or a sign of Rust code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Word(String),
    Sign(char),
}

impl Token {
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }

    fn is_sign(&self, sign: char) -> bool {
        *self == Self::Sign(sign)
    }
}

/// The words and signs of a source text.
pub fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&first) = chars.get(at) {
        let rest = &chars[at..];
        at += match first {
            '/' if rest.starts_with(&['/', '/']) => until(rest, &['\n']),
            '/' if rest.starts_with(&['/', '*']) => until(rest, &['*', '/']),
            '"' => string(rest),
            'r' if raw_string(rest).is_some() => raw_string(rest).unwrap(),
            '\'' => character(rest),
            first if is_of_word(first) => {
                let word: String = rest.iter().take_while(|char| is_of_word(**char)).collect();
                let length = word.chars().count();
                tokens.push(Token::Word(word));
                length
            }
            first => {
                if !first.is_whitespace() {
                    tokens.push(Token::Sign(first));
                }
                1
            }
        };
    }
    tokens
}

fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// How far it is behind the end of what begins here.
fn until(rest: &[char], end: &[char]) -> usize {
    rest.windows(end.len()).position(|window| window == end).map_or(rest.len(), |found| found + end.len())
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn raw_string(rest: &[char]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|char| **char == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    Some(2 + hashes + until(&rest[2 + hashes..], &end))
}

/// A character literal, or the quote of a lifetime.
fn character(rest: &[char]) -> usize {
    match rest {
        ['\'', '\\', ..] => 3 + until(&rest[3..], &['\'']),
        ['\'', _, '\'', ..] => 3,
        _ => 1,
    }
}

/// The modules right below the crate's root that a file names, by `crate::` or by climbing with `super::`.
pub fn modules_used(path: &str, text: &str) -> BTreeSet<String> {
    let tokens = tokens(text);
    let mut used = BTreeSet::new();
    let depth = depth_of(path);
    let mut inline_modules = Vec::new();
    let mut braces = 0;
    for at in 0..tokens.len() {
        match &tokens[at] {
            Token::Sign('{') => {
                braces += 1;
                if at >= 2 && tokens[at - 2].is("mod") {
                    inline_modules.push(braces);
                }
            }
            Token::Sign('}') => {
                if inline_modules.last() == Some(&braces) {
                    inline_modules.pop();
                }
                braces -= 1;
            }
            word if word.is("crate") => used.extend(first_segments(&tokens[at + 1..])),
            word if word.is("super") && !continues_a_path(&tokens[..at]) => {
                let supers = tokens[at..].chunks(3).take_while(|chunk| chunk[0].is("super")).count();
                if supers == depth + inline_modules.len() {
                    used.extend(first_segments(&tokens[at + 3 * supers - 2..]));
                }
            }
            _ => {}
        }
    }
    used
}

fn continues_a_path(before: &[Token]) -> bool {
    before.last().is_some_and(|token| token.is_sign(':'))
}

/// How deep in the crate the module of this file is: `app.rs` 1, `web/mod.rs` 1, `web/pages/start.rs` 3.
fn depth_of(path: &str) -> usize {
    match path.trim_end_matches("/mod.rs").trim_end_matches(".rs") {
        "lib" | "main" => 0,
        module => module.split('/').count(),
    }
}

/// What stands after `::` here: one name, or the first names in a group.
fn first_segments(tokens: &[Token]) -> Vec<String> {
    match tokens {
        [Token::Sign(':'), Token::Sign(':'), Token::Word(name), ..] => vec![name.clone()],
        [Token::Sign(':'), Token::Sign(':'), Token::Sign('{'), group @ ..] => {
            let mut names = Vec::new();
            let (mut open, mut is_first) = (1, true);
            for token in group {
                match token {
                    Token::Sign('{') => open += 1,
                    Token::Sign('}') if open == 1 => break,
                    Token::Sign('}') => open -= 1,
                    Token::Sign(',') => is_first |= open == 1,
                    Token::Word(name) if is_first => {
                        names.push(name.clone());
                        is_first = false;
                    }
                    _ => {}
                }
            }
            names
        }
        _ => Vec::new(),
    }
}
