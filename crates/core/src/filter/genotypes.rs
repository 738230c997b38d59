//! Genotypes that are filtered or set to missing, and the counts that follow from them.

use crate::vcf::genotype::GenotypeAllele;
use crate::vcf::{Genotype, VcfRecord};

/// FORMAT key of a genotype's filter (VCF specification, section 1.6.2).
pub const FILTER_KEY: &str = "FT";

/// The definition line of [`FILTER_KEY`].
pub const FILTER_LINE: &str = "##FORMAT=<ID=FT,Number=1,Type=String,Description=\"Genotype filter: PASS, or the filters that this sample's call fails\">";

/// The genotypes to set to missing.
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

/// True where a genotype has an ALT allele.
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

/// Counts AC, AN and AF from the genotypes, for those of the keys that stand in INFO. The share of an ALT
/// whose count is what AC and AN said already keeps its text.
///
/// No other key is touched. MLEAC and MLEAF are estimates that need the caller's likelihoods, DP and
/// NS count reads and samples with data, which stay whatever becomes of a genotype.
pub fn recount(record: &mut VcfRecord) {
    let Some((counts, called)) = count_alleles(record) else {
        return;
    };
    let list = |texts: Vec<String>| -> Vec<u8> {
        if texts.is_empty() {
            b".".to_vec()
        } else {
            texts.join(",").into_bytes()
        }
    };
    let said = said_counts(record);
    let old: Vec<String> = record
        .info(b"AF")
        .unwrap_or_default()
        .split(|byte| *byte == b',')
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect();
    let share = |(at, count): (usize, &u64)| match (&said, called) {
        (Some((of_alternates, all)), _)
            if *all == called
                && of_alternates.get(at) == Some(count)
                && old.len() == counts.len() =>
        {
            old[at].clone()
        }
        (_, 0) => ".".to_owned(),
        (_, called) => six_digits(*count as f64 / called as f64),
    };
    let shares = counts.iter().enumerate().map(share).collect();
    for (key, value) in [
        ("AC", list(counts.iter().map(u64::to_string).collect())),
        ("AN", called.to_string().into_bytes()),
        ("AF", list(shares)),
    ] {
        if record.info(key.as_bytes()).is_some() {
            record.set_info(key.as_bytes(), Some(&value));
        }
    }
}

/// Count of each ALT in the genotypes, and number of called alleles; nothing without GT.
fn count_alleles(record: &VcfRecord) -> Option<(Vec<u64>, u64)> {
    let columns = record.genotype_columns();
    let gt = key_at(&columns, "GT")?;
    let alternates = match record.alleles().1 {
        b"." => 0,
        list => list.split(|byte| *byte == b',').count(),
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
    Some((counts, called))
}

/// AC and AN as INFO has them.
fn said_counts(record: &VcfRecord) -> Option<(Vec<u64>, u64)> {
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse().ok();
    let of_alternates = record.info(b"AC")?.split(|byte| *byte == b',').map(number);
    Some((
        of_alternates.collect::<Option<_>>()?,
        number(record.info(b"AN")?)?,
    ))
}

/// A share from 0 to 1 with six significant digits and no zeros behind them, as C's `%g`, bcftools'
/// way: the rarest allele of any cohort keeps its frequency.
fn six_digits(share: f64) -> String {
    if share == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{share:.5e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let bare = |text: &str| {
        let text = text.trim_end_matches('0');
        text.trim_end_matches('.').to_owned()
    };
    if exponent < -4 {
        format!("{}e-{:02}", bare(digits), -exponent)
    } else {
        let decimals = usize::try_from(5 - exponent).unwrap_or(0);
        bare(&format!("{share:.decimals$}"))
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
            "1\t5\t.\tA\tC,G\t.\tq\tAC=2,0;AF=0.666667,0;AN=3;DP=9\tGT:DP\t0|1:4\t./.:5\t1:1\t./."
        );
        let mut without = record("1\t5\t.\tA\tC\t.\tq\tAC=2");
        assert_eq!(set_missing(&mut without, Which::All), 0);
        assert_eq!(text(&without), "1\t5\t.\tA\tC\t.\tq\tAC=2");
    }

    #[test]
    fn shares_have_the_digits_that_they_need() {
        // As C's printf("%g") writes them.
        for (count, called, text) in [
            (1u32, 4999u32, "0.00020004"),
            (1, 5000, "0.0002"),
            (1, 2, "0.5"),
            (2, 3, "0.666667"),
            (1, 1, "1"),
            (0, 9, "0"),
            (1, 20_000, "5e-05"),
            (1, 30_000, "3.33333e-05"),
            (9_999_999, 10_000_000, "1"),
        ] {
            let share = f64::from(count) / f64::from(called);
            assert_eq!(six_digits(share), text, "{count} of {called}");
        }
    }

    #[test]
    fn a_share_whose_count_stays_keeps_its_text() {
        let mut kept =
            record("1\t5\t.\tA\tC,G\t.\t.\tAC=1,1;AF=2.500e-01,0.250;AN=4\tGT\t0/1\t0/2");
        recount(&mut kept);
        assert!(
            text(&kept).contains("AC=1,1;AF=2.500e-01,0.250;AN=4"),
            "{}",
            text(&kept)
        );
        let mut changed =
            record("1\t5\t.\tA\tC,G\t.\t.\tAC=1,1;AF=2.500e-01,0.250;AN=4\tGT\t0/1\t0/0");
        recount(&mut changed);
        assert!(
            text(&changed).contains("AC=1,0;AF=2.500e-01,0;AN=4"),
            "{}",
            text(&changed)
        );
        // Without AC nothing says that the share is about these genotypes.
        let mut alone = record("1\t5\t.\tA\tC\t.\t.\tAF=0.3;AN=4\tGT\t0/1\t0/0");
        recount(&mut alone);
        assert!(text(&alone).contains("AF=0.25;AN=4"), "{}", text(&alone));
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
