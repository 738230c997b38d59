//! Faults in the text of a VCF.

/// A defect of a VCF's header or of one record; the file and the line are added by the reader.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VcfError {
    /// The first line is no `##fileformat=VCF...`.
    #[error("it does not begin with `##fileformat=VCF`, found `{found}`; is this a VCF?")]
    NotVcf {
        /// The beginning of the first line.
        found: String,
    },
    /// The header ends without a `#CHROM` line.
    #[error("the header has no `#CHROM` line; the file is cut off or not a VCF")]
    NoColumnLine,
    /// The `#CHROM` line lacks the eight fixed columns.
    #[error(
        "the column line must begin with {expected}, found `{found}`",
        expected = "`#CHROM POS ID REF ALT QUAL FILTER INFO` (tab-separated)"
    )]
    ColumnLine {
        /// The line as it stands.
        found: String,
    },
    /// Two sample columns of one name.
    #[error(
        "sample `{name}` has two columns; expected each name once: rename one, or take it out (`bcftools reheader -s`, `cut`)"
    )]
    SampleTwice {
        /// The name.
        name: String,
    },
    /// A record with another number of columns than the `#CHROM` line.
    #[error(
        "expected {expected} tab-separated columns, found {found}; the record is damaged or cut off"
    )]
    Columns {
        /// Columns of the `#CHROM` line.
        expected: usize,
        /// Columns of the record.
        found: usize,
    },
    /// POS is no whole number.
    #[error("POS must be a whole number, found `{found}`")]
    Position {
        /// The column as it stands.
        found: String,
    },
    /// An empty column, or an allele that is neither bases nor symbolic.
    #[error("{column} must not be `{found}`; expected {expected}")]
    Allele {
        /// `REF` or `ALT`.
        column: &'static str,
        /// The column as it stands.
        found: String,
        /// The values that may stand there.
        expected: &'static str,
    },
}
