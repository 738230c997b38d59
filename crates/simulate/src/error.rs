//! Faults in the input of the simulator.

/// An error of an input's content.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SimulateError {
    /// No sequence to work on.
    #[error(
        "no stretch of {least} or more bases without N in the regions; check that the names of the contigs in the regions and the reference agree"
    )]
    NoRegions {
        /// Fewest bases of a stretch.
        least: usize,
    },
    /// The real variants belong to another reference.
    #[error(
        "{mismatches} of {checked} variants have another REF than the reference (first: {first}); give the VCF of the same genome build"
    )]
    OtherReference {
        /// Variants whose REF is not there.
        mismatches: usize,
        /// Variants looked at.
        checked: usize,
        /// The first of them.
        first: String,
    },
    /// A knob out of its range.
    #[error("{knob} is {found}; expected {expected}")]
    Knob {
        /// Its name.
        knob: &'static str,
        /// Its value.
        found: String,
        /// The values it may have.
        expected: &'static str,
    },
    /// A record of a FASTQ file that cannot be read.
    #[error("read {number}: expected {expected}, found `{found}`")]
    Fastq {
        /// Number of the record, from 1.
        number: u64,
        /// The expected text.
        expected: &'static str,
        /// The text found.
        found: String,
    },
    /// Two files of which one does not go with the other.
    #[error(
        "pair {number}: the first file has {first}, the second {second}; both must have the mates of the same fragments in the same order"
    )]
    Unpaired {
        /// Number of the pair, from 1.
        number: u64,
        /// The first file's read.
        first: String,
        /// The second file's read.
        second: String,
    },
}

impl SimulateError {
    /// Checks that a knob is a number from `low` to `high`.
    ///
    /// # Errors
    /// Where it is not.
    pub fn check_knob(
        knob: &'static str,
        value: f64,
        range: std::ops::RangeInclusive<f64>,
        expected: &'static str,
    ) -> Result<(), Self> {
        if range.contains(&value) {
            return Ok(());
        }
        Err(Self::Knob {
            knob,
            found: value.to_string(),
            expected,
        })
    }
}
