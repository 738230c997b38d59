//! Which sample of each file is evaluated.

use cnnfilter_core::vcf::VcfHeader;

use super::score_column::ScoreColumn;

/// A file lacks the sample that is evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no sample `{name}`")]
pub struct NoSample {
    /// Index of the file.
    pub file: usize,
    /// The sample.
    pub name: String,
}

/// The index of the sample of each file: `named`, else the first sample of the first file. A further
/// file may lack the sample where none of its scores is a sample's; its index is 0 then.
///
/// # Errors
/// The first file that lacks the sample and needs it.
pub fn sample_indices(
    files: &[(&VcfHeader, &[ScoreColumn])],
    named: Option<&str>,
) -> Result<Vec<usize>, NoSample> {
    let first = files
        .first()
        .and_then(|(header, _)| header.samples().next());
    let Some(name) = named.or(first) else {
        return Ok(vec![0; files.len()]);
    };
    files
        .iter()
        .enumerate()
        .map(|(file, (header, columns))| {
            let is_needed = file == 0 || columns.iter().any(ScoreColumn::is_per_sample);
            match header.samples().position(|sample| sample == name) {
                Some(index) => Ok(index),
                None if is_needed => Err(NoSample {
                    file,
                    name: name.to_owned(),
                }),
                None => Ok(0),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::score_columns;
    use super::super::testing::header;
    use super::*;

    #[test]
    fn the_sample_is_looked_for_by_name_in_every_file() {
        let (one, two, three) = (
            header(&["a", "b"], &[]),
            header(&["b", "a"], &[]),
            header(&["c"], &[]),
        );
        let of_site = score_columns(&["QD".into()], &one, "", &[]);
        let of_sample = score_columns(&["FORMAT/GQ".into()], &one, "", &[]);
        let files = [(&one, &of_site[..]), (&two, &of_site), (&three, &of_site)];
        assert_eq!(sample_indices(&files, None), Ok(vec![0, 1, 0]));
        assert_eq!(sample_indices(&files, Some("b")), Ok(vec![1, 0, 0]));
        let missing = |file, name: &str| {
            Err(NoSample {
                file,
                name: name.to_owned(),
            })
        };
        assert_eq!(sample_indices(&files, Some("z")), missing(0, "z"));
        let files = [(&one, &of_site[..]), (&three, &of_sample)];
        assert_eq!(sample_indices(&files, None), missing(1, "a"));
    }

    #[test]
    fn files_without_samples_are_read_by_their_sites() {
        let lines = [
            "##fileformat=VCFv4.2",
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
        ];
        let sites = VcfHeader::parse(lines.map(String::from).to_vec()).unwrap();
        assert_eq!(sample_indices(&[(&sites, &[])], None), Ok(vec![0]));
        assert!(sample_indices(&[(&sites, &[])], Some("a")).is_err());
    }
}
