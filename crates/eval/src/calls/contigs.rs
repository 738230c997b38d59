//! Inputs on none of the calls' contigs are a mistake, not an empty set.

use std::collections::BTreeSet;

use cnnfilter_core::genome::ContigTable;

/// An input has no contig in common with the calls.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no contig in common with the calls{}", hint(.spelling.as_ref()))]
pub struct NoSharedContig {
    /// A contig of the input and its other spelling in the calls, where there is one.
    pub spelling: Option<(String, String)>,
}

fn hint(spelling: Option<&(String, String)>) -> String {
    spelling.map_or_else(String::new, |(contig, other)| {
        format!(" (`{contig}` there is `{other}` in the calls)")
    })
}

/// Checks that one of `contigs` is among the calls' (`known`). Empty sets pass.
///
/// # Errors
/// There are contigs on both sides and none is shared.
pub fn check_shared_contig(
    contigs: &BTreeSet<String>,
    known: &ContigTable,
) -> Result<(), NoSharedContig> {
    let is_shared = contigs.iter().any(|contig| known.get(contig).is_some());
    if known.is_empty() || contigs.is_empty() || is_shared {
        return Ok(());
    }
    let spelling = contigs.iter().find_map(|contig| {
        let other = known.other_spelling(contig)?;
        Some((contig.clone(), other.to_owned()))
    });
    Err(NoSharedContig { spelling })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_core::genome::Contig;

    fn check(contigs: &[&str], known: &[&str]) -> Result<(), NoSharedContig> {
        let contigs = contigs.iter().map(|name| (*name).to_owned()).collect();
        let known = ContigTable::new(known.iter().map(|name| Contig {
            name: (*name).to_owned(),
            length: None,
        }));
        check_shared_contig(&contigs, &known)
    }

    #[test]
    fn one_shared_contig_is_enough_and_nothing_is_no_mistake() {
        assert_eq!(check(&["1", "2"], &["2", "3"]), Ok(()));
        assert_eq!(check(&[], &["2"]), Ok(()));
        assert_eq!(check(&["1"], &[]), Ok(()));
    }

    #[test]
    fn the_error_names_another_spelling() {
        let message = |result: Result<(), NoSharedContig>| result.unwrap_err().to_string();
        assert_eq!(
            message(check(&["1"], &["chr1"])),
            "no contig in common with the calls (`1` there is `chr1` in the calls)"
        );
        assert_eq!(
            message(check(&["1"], &["2"])),
            "no contig in common with the calls"
        );
    }
}
