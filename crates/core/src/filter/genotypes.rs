//! Genotypes that are filtered or set to missing, and the counts that follow from them.

use crate::vcf::genotype::GenotypeAllele;
use crate::vcf::{Genotype, VcfRecord};

/// FORMAT key of a genotype's filter (VCF specification, section 1.6.2).
pub const FILTER_KEY: &str = "FT";

/// The definition line of [`FILTER_KEY`].
pub const FILTER_LINE: &str = "##FORMAT=<ID=FT,Number=1,Type=String,Description=\"Genotype filter: PASS, or the filters that this sample's call fails\">";

/// Which genotypes to set to missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// All of the record.
    All,
    /// Those of the samples for which `true` stands here.
    Of(&'a [bool]),
}

/// The number of a FORMAT key among the keys of a record.
pub(super) fn key_at(columns: &[Vec<Vec<u8>>], key: &str) -> Option<usize> {
    columns
        .first()?
        .iter()
        .position(|name| name.as_slice() == key.as_bytes())
}

/// Whether a genotype has an ALT allele.
fn carries_alternate(fields: &[Vec<u8>], gt: Option<usize>) -> bool {
    gt.and_then(|at| fields.get(at))
        .is_some_and(|value| Genotype::parse(value).carries_alternate())
}

/// Sets genotypes to missing (`./.`, unphased, with as many alleles as before), as bcftools'
/// `filter -S .` does, and counts AC, AN and AF again where they stand. Returns how many genotypes
/// with a called allele became missing.
pub fn set_missing(record: &mut VcfRecord, which: Which) -> u64 {
    let mut columns = record.genotype_columns();
    let Some(gt) = key_at(&columns, "GT") else {
        return 0;
    };
    let mut changed = 0;
    for (sample, fields) in columns.iter_mut().skip(1).enumerate() {
        let is_wanted = match which {
            Which::All => true,
            Which::Of(wanted) => wanted.get(sample).copied().unwrap_or(false),
        };
        let Some(value) = fields.get_mut(gt).filter(|_| is_wanted) else {
            continue;
        };
        let mut genotype = Genotype::parse(value);
        if genotype.is_missing() {
            continue;
        }
        for (at, allele) in genotype.alleles.iter_mut().enumerate() {
            *allele = GenotypeAllele {
                separator: (at > 0).then_some(b'/'),
                number: None,
            };
        }
        *value = genotype.to_bytes();
        changed += 1;
    }
    if changed > 0 {
        record.set_genotype_columns(&columns);
        recount(record);
    }
    changed
}

/// Writes FT: `PASS` for a genotype with an ALT that passes, `filter` for one that fails (behind the
/// names of other filters that stand there), `.` for one that was not judged and for one without
/// an ALT, which the sample's score says nothing about. Names that an earlier run by thresholds left
/// in FT are replaced. Returns which samples fail.
pub fn write_filters(record: &mut VcfRecord, passes: &[Option<bool>], filter: &str) -> Vec<bool> {
    let mut columns = record.genotype_columns();
    if columns.is_empty() {
        return Vec::new();
    }
    let gt = key_at(&columns, "GT");
    let at = match key_at(&columns, FILTER_KEY) {
        Some(at) => at,
        None => {
            columns[0].push(FILTER_KEY.into());
            columns[0].len() - 1
        }
    };
    let mut failing = Vec::new();
    for (fields, passes) in columns.iter_mut().skip(1).zip(passes) {
        let passes = passes.filter(|_| carries_alternate(fields, gt));
        // Trailing fields may have been left out.
        while fields.len() <= at {
            fields.push(b".".to_vec());
        }
        let mut names: Vec<&[u8]> = super::filter_column::names(&fields[at]);
        names.retain(|name| !name.starts_with(b"CNN_LOW_"));
        if passes == Some(false) {
            names.push(filter.as_bytes());
        }
        let empty = if passes.is_some() { "PASS" } else { "." };
        let joined = super::filter_column::join(&names, empty);
        fields[at] = joined;
        failing.push(passes == Some(false));
    }
    record.set_genotype_columns(&columns);
    failing
}

/// Counts AC, AN and AF from the genotypes, for those of the keys that stand in INFO.
pub fn recount(record: &mut VcfRecord) {
    let columns = record.genotype_columns();
    let Some(gt) = key_at(&columns, "GT") else {
        return;
    };
    let (_, alternates) = record.alleles();
    let alternates = if alternates == b"." {
        0
    } else {
        alternates.split(|byte| *byte == b',').count()
    };
    let mut counts = vec![0u64; alternates];
    let mut called = 0u64;
    for value in columns.iter().skip(1).filter_map(|fields| fields.get(gt)) {
        for number in Genotype::parse(value).numbers().flatten() {
            called += 1;
            if let Some(count) = number.checked_sub(1).and_then(|at| counts.get_mut(at)) {
                *count += 1;
            }
        }
    }
    let list = |text: &dyn Fn(u64) -> String| -> Vec<u8> {
        let values: Vec<String> = counts.iter().map(|count| text(*count)).collect();
        let joined = values.join(",");
        if joined.is_empty() {
            ".".into()
        } else {
            joined.into_bytes()
        }
    };
    let share = |count: u64| match called {
        0 => ".".to_owned(),
        called => format!("{:.3}", count as f64 / called as f64),
    };
    for (key, value) in [
        ("AC", list(&|count| count.to_string())),
        ("AN", called.to_string().into_bytes()),
        ("AF", list(&share)),
    ] {
        if record.info(key.as_bytes()).is_some() {
            record.set_info(key.as_bytes(), Some(&value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: &str) -> VcfRecord {
        VcfRecord::parse(line.as_bytes().to_vec(), line.split('\t').count()).unwrap()
    }

    fn text(record: &VcfRecord) -> String {
        let mut out = Vec::new();
        record.write_to(&mut out);
        String::from_utf8(out).unwrap().trim_end().to_owned()
    }

    #[test]
    fn missing_genotypes_are_not_counted() {
        let line =
            "1\t5\t.\tA\tC,G\t.\tq\tAC=2,1;AF=0.500,0.250;AN=4;DP=9\tGT:DP\t0|1:4\t1/2:5\t1:1\t./.";
        let mut all = record(line);
        assert_eq!(set_missing(&mut all, Which::All), 3);
        assert_eq!(
            text(&all),
            "1\t5\t.\tA\tC,G\t.\tq\tAC=0,0;AF=.,.;AN=0;DP=9\tGT:DP\t./.:4\t./.:5\t.:1\t./."
        );
        let mut one = record(line);
        assert_eq!(
            set_missing(&mut one, Which::Of(&[false, true, false, true])),
            1
        );
        assert_eq!(
            text(&one),
            "1\t5\t.\tA\tC,G\t.\tq\tAC=2,0;AF=0.667,0.000;AN=3;DP=9\tGT:DP\t0|1:4\t./.:5\t1:1\t./."
        );
        let mut without = record("1\t5\t.\tA\tC\t.\tq\tAC=2");
        assert_eq!(set_missing(&mut without, Which::All), 0);
        assert_eq!(text(&without), "1\t5\t.\tA\tC\t.\tq\tAC=2");
    }

    #[test]
    fn ft_says_what_the_sample_fails() {
        let mut r = record(
            "1\t5\t.\tA\tC\t.\t.\t.\tGT:FT:CNN\t0/1:PASS:2\t0/1:q:-2\t0/1:CNN_LOW_SNP_F1\t0/0:.:-3\t./.",
        );
        let passes = [Some(true), Some(false), Some(true), Some(false), None];
        let failing = write_filters(&mut r, &passes, "CNN_LOW_SNP_F1");
        assert_eq!(failing, [false, true, false, false, false]);
        assert_eq!(
            text(&r),
            "1\t5\t.\tA\tC\t.\t.\t.\tGT:FT:CNN\t0/1:PASS:2\t0/1:q;CNN_LOW_SNP_F1:-2\t0/1:PASS\t0/0:.:-3\t./.:."
        );
        let mut added = record("1\t5\t.\tA\tC\t.\t.\t.\tGT:CNN:DP\t0/1:2\t0/1:-1:7");
        write_filters(&mut added, &[Some(true), Some(false)], "F");
        assert_eq!(
            text(&added),
            "1\t5\t.\tA\tC\t.\t.\t.\tGT:CNN:DP:FT\t0/1:2:.:PASS\t0/1:-1:7:F"
        );
    }
}
