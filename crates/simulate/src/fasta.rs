//! FASTA records.

/// A sequence with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FastaRecord {
    /// Its name, without blanks.
    pub name: String,
    /// The rest of the name's line; may be empty.
    pub description: String,
    /// Its bases.
    pub bases: Vec<u8>,
}

/// Bases of a line.
const LINE: usize = 60;

impl FastaRecord {
    /// Its lines, each with its end.
    pub fn text(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.bases.len() * (LINE + 1) / LINE + 100);
        text.push(b'>');
        text.extend_from_slice(self.name.as_bytes());
        if !self.description.is_empty() {
            text.push(b' ');
            text.extend_from_slice(self.description.as_bytes());
        }
        text.push(b'\n');
        for line in self.bases.chunks(LINE) {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_sixty_bases() {
        let mut record = FastaRecord {
            name: "20:1-61".into(),
            description: String::new(),
            bases: b"A".repeat(61),
        };
        let expected = format!(">20:1-61\n{}\nA\n", "A".repeat(60));
        assert_eq!(record.text(), expected.as_bytes());
        record.bases.truncate(60);
        record.description = "ploidy=1".into();
        let expected = format!(">20:1-61 ploidy=1\n{}\n", "A".repeat(60));
        assert_eq!(record.text(), expected.as_bytes());
    }
}
