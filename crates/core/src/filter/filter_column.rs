//! The FILTER column as a list of names.

/// The names in a FILTER column; none for `.` and `PASS`.
pub fn names(column: &[u8]) -> Vec<&[u8]> {
    column
        .split(|byte| *byte == b';')
        .filter(|name| !name.is_empty() && *name != b"." && *name != b"PASS")
        .collect()
}

/// True where a record fails: a name other than `PASS` stands in its FILTER column.
pub fn fails(column: &[u8]) -> bool {
    !names(column).is_empty()
}

/// A FILTER column with `names`, each once; `empty` (`PASS` or `.`) where there is none.
pub fn join(names: &[&[u8]], empty: &str) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::with_capacity(names.len());
    for name in names {
        if !kept.contains(name) {
            kept.push(name);
        }
    }
    if kept.is_empty() {
        empty.as_bytes().to_vec()
    } else {
        kept.join(&b';')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pass_and_a_dot_are_no_names() {
        assert!(!fails(b".") && !fails(b"PASS") && !fails(b""));
        assert!(fails(b"q10") && fails(b"PASS;q10"));
        assert_eq!(names(b"q10;LowQual"), [&b"q10"[..], b"LowQual"]);
        assert_eq!(join(&[b"a", b"b", b"a"], "PASS"), b"a;b");
        assert_eq!(join(&[], "PASS"), b"PASS");
    }
}
