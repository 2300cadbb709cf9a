//! Names that people read: when two are the same, and what none may hold.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Most marks on one character. Burmese needs seven; with many more a name is drawn over what stands above it.
const MOST_MARKS: usize = 8;

/// A user name or e-mail address in the form in which two are the same: NFKC without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FoldedName(String);

impl FoldedName {
    /// Folds a name. Lowering the case can undo the normal form, so it is made again.
    pub fn new(name: &str) -> Self {
        Self(name.nfkc().flat_map(char::to_lowercase).nfkc().collect())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// There is none.
    #[error("must not be empty")]
    Empty,
    /// It does not fit on a page.
    #[error("must not be longer than {0} characters")]
    TooLong(usize),
    /// Two names could look the same, or one page element could look like another.
    #[error("must not begin or end with a blank")]
    OuterBlank,
    /// Line ends, NUL, and characters that hide or reorder others.
    #[error("must not contain control characters or invisible characters")]
    Invisible,
    /// It would be drawn over what stands around it.
    #[error("must not begin with an accent, nor have more than {MOST_MARKS} on one character")]
    Marks,
}

/// Checks a name that pages and lists show: 1 to `max` characters, each of them visible.
pub fn check_name(name: &str, max: usize) -> Result<(), NameProblem> {
    if name.is_empty() {
        Err(NameProblem::Empty)
    } else if name.chars().nth(max).is_some() {
        Err(NameProblem::TooLong(max))
    } else if name.chars().any(is_invisible) {
        Err(NameProblem::Invisible)
    } else if name.trim() != name {
        Err(NameProblem::OuterBlank)
    } else if !are_marks_in_place(name) {
        Err(NameProblem::Marks)
    } else {
        Ok(())
    }
}

/// Whether each accent has a character to stand on, and none carries too many.
fn are_marks_in_place(name: &str) -> bool {
    let mut bases = name.split(|character| !is_combining_mark(character));
    bases.next().is_some_and(str::is_empty) && bases.all(|marks| marks.chars().count() <= MOST_MARKS)
}

/// Controls, line ends, and the format characters with which one name is made to look like another.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                // Variants of the character before; the last one, which makes an emoji, is seen.
                | '\u{fe00}'..='\u{fe0e}'
                | '\u{e0100}'..='\u{e01ef}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_read_the_same_fold_to_the_same() {
        for (one, other) in [
            ("Alice", "aLICE"),
            // Fullwidth letters, a ligature, and a letter with a combining accent.
            ("\u{ff21}lice", "alice"),
            ("\u{fb01}ona", "fiona"),
            ("Jose\u{301}", "JOS\u{c9}"),
            // The Kelvin sign.
            ("\u{212a}im", "kim"),
            // A capital with a dot above becomes two characters.
            ("\u{130}", "i\u{307}"),
        ] {
            assert_eq!(FoldedName::new(one), FoldedName::new(other), "{one} and {other}");
        }
        assert_ne!(FoldedName::new("alice"), FoldedName::new("alicia"));
    }

    #[test]
    fn names_are_checked() {
        for (name, expected) in [
            ("Ünïted Böats 東京 🚣", Ok(())),
            ("12345678", Ok(())),
            ("", Err(NameProblem::Empty)),
            ("123456789012345678901", Err(NameProblem::TooLong(20))),
            (" a", Err(NameProblem::OuterBlank)),
            ("a\u{a0}", Err(NameProblem::OuterBlank)),
            ("a\0b", Err(NameProblem::Invisible)),
            ("a\nb", Err(NameProblem::Invisible)),
            ("bank\u{202e}knab", Err(NameProblem::Invisible)),
            ("ad\u{200b}min", Err(NameProblem::Invisible)),
            ("\u{2800}", Err(NameProblem::Invisible)),
            ("a\u{ffa0}", Err(NameProblem::Invisible)),
            ("a\u{fe01}", Err(NameProblem::Invisible)),
            ("a\u{e0101}", Err(NameProblem::Invisible)),
            ("\u{2764}\u{fe0f} Cafe\u{301}", Ok(())),
            ("ကြောင်း", Ok(())),
            ("\u{fe0f}", Err(NameProblem::Marks)),
            ("\u{301}a", Err(NameProblem::Marks)),
            ("a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}", Err(NameProblem::Marks)),
        ] {
            assert_eq!(check_name(name, 20), expected, "{name:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn folding_a_folded_name_changes_nothing(name in "\\PC{0,40}") {
            let folded = FoldedName::new(&name);
            proptest::prop_assert_eq!(FoldedName::new(folded.as_str()), folded);
        }
    }
}
