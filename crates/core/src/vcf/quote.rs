//! Words of a command line in a header line.

/// A word as a shell would need it, without control characters: `'it'\\''s'` for `it's`, and plain
/// words as they are.
pub fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    let clean: String = word
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    if !clean.is_empty() && clean.chars().all(is_plain) {
        clean
    } else {
        format!("'{}'", clean.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        for (word, expected) in [
            ("a/b-1.bam", "a/b-1.bam"),
            ("", "''"),
            ("my reads", "'my reads'"),
            ("it's", "'it'\\''s'"),
            ("two\nlines", "'two?lines'"),
        ] {
            assert_eq!(quote(word), expected);
        }
    }
}
