//! The ploidy of a sample at a place.

use std::collections::BTreeMap;

/// Why a table of ploidies cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PloidyError {
    /// A line that is none of the table's.
    #[error(
        "line {line}: expected contig, first and last base, sex and ploidy (`chrX 1 60000 M 1`, `* * * F 2`), found {found:?}"
    )]
    Line {
        /// Its number, from 1.
        line: usize,
        /// Its text.
        found: String,
    },
    /// A sample of which the sex matters.
    #[error(
        "the table of ploidies tells sexes apart ({known}), but that of sample `{sample}` is not given; give it (--sex {sample}=F)"
    )]
    NoSex {
        /// The sample.
        sample: String,
        /// The sexes of the table.
        known: String,
    },
    /// A sample whose sex the depth does not tell.
    #[error(
        "sample `{sample}`: the depth on {contigs} is {found} of that elsewhere, expected {expected}; give its sex (--sex {sample}=F)"
    )]
    Depth {
        /// The sample.
        sample: String,
        /// The contigs that tell.
        contigs: String,
        /// The depth there over that of the sample.
        found: String,
        /// What each sex would have.
        expected: String,
    },
    /// A table without a contig that tells sexes apart.
    #[error(
        "sexes by depth: no contig of the table of ploidies is there in other numbers in each sex, at least once ({known}); give them (--sex SAMPLE=F)"
    )]
    NothingTells {
        /// The sexes of the table.
        known: String,
    },
    /// A sex that the table does not have.
    #[error("sample `{sample}` has sex `{found}`, the table of ploidies knows {known}")]
    UnknownSex {
        /// The sample.
        sample: String,
        /// Its sex.
        found: String,
        /// The sexes of the table.
        known: String,
    },
}

/// Ploidies by place and sex, as `bcftools call --ploidy-file` reads them. What no line covers is diploid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PloidyTable {
    lines: Vec<Line>,
    /// Ploidy where no line covers, by sex (`* * * SEX PLOIDY`).
    defaults: BTreeMap<String, usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    contig: String,
    /// 0-based, half-open.
    start: u64,
    end: u64,
    sex: String,
    ploidy: usize,
}

/// Depth of a sample at a place.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceDepth {
    /// Its contig.
    pub contig: String,
    /// 0-based.
    pub position: u64,
    /// Mean number of usable reads over it.
    pub depth: f32,
}

/// A sex that was told by depth.
#[derive(Debug, Clone, PartialEq)]
pub struct SexByDepth {
    /// The sex, by its name in the table.
    pub sex: String,
    /// Depth where sexes differ over that of the sample.
    pub ratio: f64,
}

/// Largest distance of a ratio of depths from that of a sex, as a logarithm to the base 2: an X is told from two where it
/// has 0.39 to 0.64 of the depth, two from one where they have 0.78 to 1.27.
const NEAR: f64 = 0.35;

/// Sexes of samples: of all, or by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SampleSexes {
    /// Of those that are not named.
    pub others: Option<String>,
    /// By name.
    pub named: BTreeMap<String, String>,
}

impl SampleSexes {
    /// The sex of a sample.
    pub fn of(&self, sample: &str) -> Option<&str> {
        let named = self.named.get(sample).or(self.others.as_ref());
        named.map(String::as_str)
    }
}

/// The sex chromosomes and the mitochondrion of a human assembly, as `bcftools call --ploidy GRCh37` and `GRCh38` have them
/// (`vcfcall.c`), under both spellings of their names.
fn human(x: [(u64, u64); 2], y: (u64, u64), mitochondrion: u64) -> String {
    let mut text = String::new();
    for prefix in ["", "chr"] {
        for (first, last) in x {
            text.push_str(&format!("{prefix}X {first} {last} M 1\n"));
        }
        text.push_str(&format!(
            "{prefix}Y {} {} M 1\n{prefix}Y {} {} F 0\n",
            y.0, y.1, y.0, y.1
        ));
    }
    for name in ["MT", "chrM"] {
        text.push_str(&format!(
            "{name} 1 {mitochondrion} M 1\n{name} 1 {mitochondrion} F 1\n"
        ));
    }
    text + "* * * M 2\n* * * F 2\n"
}

impl PloidyTable {
    /// The table of an assembly (`GRCh37`, `GRCh38`); nothing for another name.
    pub fn of_assembly(name: &str) -> Option<Self> {
        let text = match name {
            "GRCh37" => human(
                [(1, 60_000), (2_699_521, 154_931_043)],
                (1, 59_373_566),
                16_569,
            ),
            "GRCh38" => human(
                [(1, 9_999), (2_781_480, 155_701_381)],
                (1, 57_227_415),
                16_569,
            ),
            _ => return None,
        };
        Self::parse(&text).ok()
    }

    /// Reads a table: contig, first and last base (from 1), sex, ploidy, apart by white space; `#` begins a comment.
    ///
    /// # Errors
    /// [`PloidyError::Line`].
    pub fn parse(text: &str) -> Result<Self, PloidyError> {
        let mut table = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let wrong = || PloidyError::Line {
                line: number,
                found: line.to_owned(),
            };
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [contig, first, last, sex, ploidy] = match fields[..] {
                [] => continue,
                [first, ..] if first.starts_with('#') => continue,
                [a, b, c, d, e] => [a, b, c, d, e],
                _ => return Err(wrong()),
            };
            let ploidy = ploidy.parse().ok().filter(|ploidy| *ploidy <= 100);
            let ploidy: usize = ploidy.ok_or_else(wrong)?;
            if (contig, first, last) == ("*", "*", "*") {
                table.defaults.insert(sex.to_owned(), ploidy);
                continue;
            }
            let range = first.parse::<u64>().ok().zip(last.parse::<u64>().ok());
            let (first, last) = range
                .filter(|(first, last)| 1 <= *first && first <= last)
                .ok_or_else(wrong)?;
            table.lines.push(Line {
                contig: contig.to_owned(),
                start: first - 1,
                end: last,
                sex: sex.to_owned(),
                ploidy,
            });
        }
        Ok(table)
    }

    /// The sexes that it tells apart, in order of the alphabet.
    fn sexes(&self) -> Vec<&str> {
        let lines = self.lines.iter().map(|line| line.sex.as_str());
        let mut sexes: Vec<&str> = lines
            .chain(self.defaults.keys().map(String::as_str))
            .collect();
        sexes.sort_unstable();
        sexes.dedup();
        sexes
    }

    /// The contigs on which depth tells sexes apart: all have them, in other numbers. A human's are the X; not the Y, which
    /// half of them lack, and most of which reads cannot be placed on.
    pub fn telling_contigs(&self) -> Vec<&str> {
        let mut contigs: Vec<&str> = Vec::new();
        for line in &self.lines {
            let is_new = !contigs.contains(&line.contig.as_str());
            if is_new && self.shares(&line.contig, line.start).is_some() {
                contigs.push(&line.contig);
            }
        }
        contigs
    }

    /// What part of the usual depth each sex has at a position, in the order of [`Self::sexes`]; nothing where it is the same
    /// for all, or 0 for one.
    fn shares(&self, contig: &str, position: u64) -> Option<Vec<f64>> {
        let share = |sex: &&str| {
            let usual = self.defaults.get(*sex).copied().unwrap_or(2);
            self.ploidy(contig, position, sex) as f64 / usual as f64
        };
        let shares: Vec<f64> = self.sexes().iter().map(share).collect();
        let tells = shares.iter().all(|share| share.is_finite() && *share > 0.0)
            && shares.iter().any(|share| *share != shares[0]);
        tells.then_some(shares)
    }

    /// The sex of a sample of this mean depth by its depth at places, a list for each file of its reads, whose medians add up.
    ///
    /// # Errors
    /// [`PloidyError::NothingTells`]; [`PloidyError::Depth`] where no place tells, or the depth is that of no sex.
    pub fn sex_by_depth(
        &self,
        sample: &str,
        files: &[Vec<PlaceDepth>],
        depth: f32,
    ) -> Result<SexByDepth, PloidyError> {
        let sexes = self.sexes();
        let contigs = self.telling_contigs();
        let first = self.lines.iter().find_map(|line| {
            let is_there = files
                .iter()
                .flatten()
                .any(|place| place.contig == line.contig);
            is_there
                .then(|| self.shares(&line.contig, line.start))
                .flatten()
        });
        let shares = first.or_else(|| {
            let mut lines = self.lines.iter();
            lines.find_map(|line| self.shares(&line.contig, line.start))
        });
        let Some(shares) = shares else {
            return Err(PloidyError::NothingTells {
                known: sexes.join(", "),
            });
        };
        let tells = |place: &&PlaceDepth| {
            self.shares(&place.contig, place.position).as_ref() == Some(&shares)
        };
        let median = |places: &Vec<PlaceDepth>| {
            let mut depths: Vec<f32> = places.iter().filter(tells).map(|one| one.depth).collect();
            depths.sort_unstable_by(f32::total_cmp);
            depths.get(depths.len() / 2).copied().map_or(0.0, f64::from)
        };
        let ratio = files.iter().map(median).sum::<f64>() / f64::from(depth);
        let distance = |share: f64| (ratio / share).log2().abs();
        let near: Vec<&str> = (sexes.iter().zip(&shares))
            .filter(|(_, share)| distance(**share) <= NEAR)
            .map(|(sex, _)| *sex)
            .collect();
        match near[..] {
            [sex] => Ok(SexByDepth {
                sex: sex.to_owned(),
                ratio,
            }),
            _ => Err(PloidyError::Depth {
                sample: sample.to_owned(),
                contigs: contigs.join(", "),
                found: match ratio.is_finite() {
                    true => format!("{ratio:.2}"),
                    false => "unknown".to_owned(),
                },
                expected: (sexes.iter().zip(&shares))
                    .map(|(sex, share)| format!("{share:.2} ({sex})"))
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }

    /// The sex of each sample, as far as it matters: of a table with one, all have that.
    ///
    /// # Errors
    /// A sample whose sex is not known, or not in the table.
    pub fn sexes_of(
        &self,
        samples: &[String],
        given: &SampleSexes,
    ) -> Result<Vec<String>, PloidyError> {
        let known = self.sexes();
        let one = |sample: &String| match (given.of(sample), &known[..]) {
            (None, []) => Ok(String::new()),
            (None, [only]) => Ok((*only).to_owned()),
            (None, _) => Err(PloidyError::NoSex {
                sample: sample.clone(),
                known: known.join(", "),
            }),
            (Some(sex), _) if known.contains(&sex) || known.is_empty() => Ok(sex.to_owned()),
            (Some(sex), _) => Err(PloidyError::UnknownSex {
                sample: sample.clone(),
                found: sex.to_owned(),
                known: known.join(", "),
            }),
        };
        samples.iter().map(one).collect()
    }

    /// The ploidy of a sex at a position (0-based): that of the first line that covers it.
    pub fn ploidy(&self, contig: &str, position: u64, sex: &str) -> usize {
        let covers = |line: &&Line| {
            line.contig == contig && line.sex == sex && (line.start..line.end).contains(&position)
        };
        let found = self.lines.iter().find(covers).map(|line| line.ploidy);
        found
            .or_else(|| self.defaults.get(sex).copied())
            .unwrap_or(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(contig: &str, depths: &[f32]) -> Vec<PlaceDepth> {
        let place = |(at, depth): (u64, &f32)| PlaceDepth {
            contig: contig.to_owned(),
            position: 10_000_000 + at * 1_000,
            depth: *depth,
        };
        (0..).zip(depths).map(place).collect()
    }

    #[test]
    fn the_depth_on_x_tells_the_sex() {
        for (assembly, x) in [("GRCh37", "X"), ("GRCh38", "chrX")] {
            let table = PloidyTable::of_assembly(assembly).unwrap();
            assert_eq!(table.telling_contigs(), ["X", "chrX"]);
            let of = |depths: &[f32]| table.sex_by_depth("s", &[places(x, depths)], 30.0);
            assert_eq!(of(&[14.0, 16.0, 0.0, 15.0, 90.0]).unwrap().sex, "M");
            assert_eq!(of(&[29.0, 31.0, 33.0]).unwrap().sex, "F");
            for unclear in [&[21.0][..], &[], &[60.0], &[0.0]] {
                let message = of(unclear).unwrap_err().to_string();
                assert!(message.contains("0.50 (M)"), "{message}");
            }
        }
    }

    /// Where all have two X again nothing is told; files of one sample add up.
    #[test]
    fn places_that_do_not_tell_do_not_count() {
        let table = PloidyTable::of_assembly("GRCh38").unwrap();
        let mut first = places("chrX", &[8.0, 8.0]);
        first.extend([PlaceDepth {
            contig: "chrX".to_owned(),
            position: 2_000_000,
            depth: 30.0,
        }]);
        let found = table
            .sex_by_depth("s", &[first, places("chrX", &[7.0])], 30.0)
            .unwrap();
        assert_eq!((found.sex.as_str(), found.ratio), ("M", 0.5));
    }

    #[test]
    fn a_table_without_such_contigs_says_so() {
        let table = PloidyTable::parse("Y 1 9 M 1\nY 1 9 F 0\n* * * M 2\n* * * F 2\n").unwrap();
        let message = table.sex_by_depth("s", &[], 30.0).unwrap_err().to_string();
        assert!(message.contains("no contig"), "{message}");
    }

    #[test]
    fn lines_are_read_as_bcftools_reads_them() {
        let table =
            PloidyTable::parse("# sexes\nX 1 60000 M 1\n\nY\t1\t100\tF\t0\n* * * M 2\n* * * F 3\n")
                .unwrap();
        for (contig, position, sex, ploidy) in [
            ("X", 0, "M", 1),
            ("X", 59_999, "M", 1),
            ("X", 60_000, "M", 2),
            ("X", 5, "F", 3),
            ("Y", 99, "F", 0),
            ("Y", 100, "F", 3),
            ("1", 7, "M", 2),
        ] {
            assert_eq!(
                table.ploidy(contig, position, sex),
                ploidy,
                "{contig}:{position} {sex}"
            );
        }
        assert_eq!(PloidyTable::default().ploidy("X", 1, ""), 2);
    }

    #[test]
    fn other_lines_are_named() {
        for text in [
            "X 1 2 M",
            "X 0 2 M 1",
            "X 3 2 M 1",
            "X a 2 M 1",
            "X 1 2 M many",
        ] {
            let error = PloidyTable::parse(&format!("* * * M 2\n{text}\n")).unwrap_err();
            assert!(error.to_string().starts_with("line 2: "), "{error}");
        }
    }

    #[test]
    fn the_assemblies_know_both_spellings() {
        let table = PloidyTable::of_assembly("GRCh38").unwrap();
        for contig in ["X", "chrX"] {
            assert_eq!(table.ploidy(contig, 10_000_000, "M"), 1);
            assert_eq!(table.ploidy(contig, 20_000, "M"), 2, "pseudoautosomal");
            assert_eq!(table.ploidy(contig, 10_000_000, "F"), 2);
        }
        assert_eq!(table.ploidy("chrY", 10_000_000, "F"), 0);
        assert_eq!(PloidyTable::of_assembly("T2T"), None);
    }

    #[test]
    fn a_sample_needs_its_sex_where_it_matters() {
        let samples = ["a".to_owned(), "b".to_owned()];
        let table = PloidyTable::of_assembly("GRCh37").unwrap();
        let mut given = SampleSexes {
            others: None,
            named: BTreeMap::from([("a".to_owned(), "F".to_owned())]),
        };
        let error = table.sexes_of(&samples, &given).unwrap_err().to_string();
        assert!(
            error.contains("sample `b`") && error.contains("F, M"),
            "{error}"
        );
        given.others = Some("M".to_owned());
        assert_eq!(table.sexes_of(&samples, &given).unwrap(), ["F", "M"]);
        given.others = Some("X".to_owned());
        assert!(table.sexes_of(&samples, &given).is_err());
        let plants = PloidyTable::parse("* * * F 6").unwrap();
        assert_eq!(
            plants.sexes_of(&samples, &SampleSexes::default()).unwrap(),
            ["F", "F"]
        );
    }
}
