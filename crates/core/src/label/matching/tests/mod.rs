//! Hard cases one by one, and random ones against an obvious comparison.

mod properties;

use super::*;
use crate::label::state::Reason;

/// Records written as `POS REF ALT[,ALT] GT`, separated by `;`, with POS counted from 1.
pub(super) fn sites(text: &str) -> Vec<Site> {
    text.split(';')
        .filter(|record| !record.trim().is_empty())
        .map(|record| {
            let fields: Vec<&str> = record.split_whitespace().collect();
            Site {
                start: fields[0].parse::<u64>().unwrap() - 1,
                reference: fields[1].into(),
                alternates: fields[2]
                    .split(',')
                    .map(|alternate| alternate.into())
                    .collect(),
                genotype: Site::parse_genotype(fields[3].as_bytes()),
            }
        })
        .collect()
}

/// States as letters, records separated by blanks: `G` allele and genotype, `A` allele only,
/// `F` false, `U` unjudged.
fn letters(judgement: &Judgement) -> String {
    let letter = |state: &AltState| match state {
        AltState::AlleleAndGenotype => 'G',
        AltState::AlleleOnly => 'A',
        AltState::False => 'F',
        AltState::Unjudged(_) => 'U',
    };
    (0..judgement.len())
        .map(|site| {
            judgement
                .alternates(site)
                .iter()
                .map(letter)
                .collect::<String>()
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn judged(reference: &str, calls: &str, truths: &str) -> ContigJudgement {
    judge(
        &sites(calls),
        &sites(truths),
        None,
        reference.as_bytes(),
        MatchOptions::default(),
    )
}

#[test]
fn hard_cases() {
    //                        1234567890123456789012345
    let plain = "ACGTTGCATCAGGATTACCAGTCAA";
    let homopolymer = "ACGTCAAAAAAAAGTCCATGAGTCC";
    let repeat = "ACGTCACACACACAGTTGCATGCTA";
    for (name, reference, calls, truths, expected_calls, expected_truths) in [
        ("a SNP", plain, "6 G T 0/1", "6 G T 1|0", "G", "G"),
        ("another base", plain, "6 G T 0/1", "6 G A 0/1", "F", "F"),
        ("het for hom", plain, "6 G T 0/1", "6 G T 1/1", "A", "A"),
        ("haploid for hom", plain, "6 G T 1", "6 G T 1/1", "G", "G"),
        (
            "MNP and its SNPs",
            plain,
            "6 GC TA 0/1",
            "6 G T 0/1; 7 C A 0/1",
            "G",
            "G G",
        ),
        (
            "the same, hom",
            plain,
            "6 G T 1/1; 7 C A 1/1",
            "6 GC TA 1/1",
            "G G",
            "G",
        ),
        (
            "MNP het, one SNP hom",
            plain,
            "6 GC TA 0/1",
            "6 G T 1/1; 7 C A 0/1",
            "A",
            "A A",
        ),
        (
            "SNPs of both copies as an MNP",
            plain,
            "6 GC TA,TC 1/2",
            "6 G T 1/1; 7 C A 0/1",
            "GG",
            "G G",
        ),
        ("half an MNP", plain, "6 G T 0/1", "6 GC TA 0/1", "F", "F"),
        (
            "MNP with one base wrong",
            plain,
            "6 GC TG 0/1",
            "6 G T 0/1; 7 C A 0/1",
            "F",
            "F F",
        ),
        (
            "SNPs with a base between",
            plain,
            "6 GCA TCT 0/1",
            "6 G T 0/1; 8 A T 0/1",
            "G",
            "G G",
        ),
        (
            "shifted in a homopolymer",
            homopolymer,
            "9 AA A 0/1",
            "5 CA C 0/1",
            "G",
            "G",
        ),
        (
            "one base more",
            homopolymer,
            "5 CAA C 0/1",
            "5 CA C 0/1",
            "F",
            "F",
        ),
        (
            "two dels for one",
            homopolymer,
            "5 CA C 1/1; 9 AA A 1/1",
            "5 CAA C 1/1",
            "G G",
            "G",
        ),
        (
            "insertion written twice",
            repeat,
            "5 C CAC 0/1",
            "13 C CAC 0/1",
            "G",
            "G",
        ),
        (
            "two units in two records",
            repeat,
            "4 T TCACA 1/1",
            "4 T TCA 1/1; 10 A ACA 1/1",
            "G",
            "G G",
        ),
        (
            "two units on one copy each",
            repeat,
            "4 T TCACA 0/1",
            "4 T TCA 1/1",
            "F",
            "F",
        ),
        (
            "split multi-allelic",
            repeat,
            "4 TCACA T,TCA 1/2",
            "4 TCACA T 0/1; 4 TCA T 0/1",
            "GG",
            "G G",
        ),
        (
            "and the other way",
            repeat,
            "4 TCACA T 0/1; 4 TCA T 0/1",
            "4 TCACA TCA,T 1/2",
            "G G",
            "GG",
        ),
        (
            "one ALT of two right",
            repeat,
            "4 TCACA T,TCA 1/2",
            "4 TCACA T 0/1",
            "AF",
            "A",
        ),
        (
            "one of two called",
            plain,
            "6 G T 0/1",
            "6 G T,A 1/2",
            "A",
            "AF",
        ),
        (
            "overlapping deletions",
            plain,
            "5 TGCAT T 0/1; 7 CATCA C 0/1",
            "5 TGCAT T 1|0; 7 CATCA C 0|1",
            "G G",
            "G G",
        ),
        (
            "the same in one record",
            plain,
            "5 TGCATCA T,TGC 1/2",
            "5 TGCATCA T 1|0; 7 CATCA C 0|1",
            "GG",
            "G G",
        ),
        (
            "deletion and SNP in it",
            plain,
            "5 TGCAT T 0/1; 7 C T 0/1",
            "5 TGCAT T,TGTAT 1/2",
            "G G",
            "GG",
        ),
        (
            "`*` beside a SNP",
            plain,
            "5 TGCAT T 0/1; 7 C T,* 1/2",
            "5 TGCAT T 0/1; 7 C T 0/1",
            "G GU",
            "G G",
        ),
        (
            "`*` alone",
            plain,
            "5 TGCAT T 0/1; 7 C * 0/1",
            "5 TGCAT T 0/1",
            "G U",
            "G",
        ),
        (
            "at the start of the contig",
            "AAAC",
            "3 AC C 0/1",
            "1 AA A 0/1",
            "G",
            "G",
        ),
        (
            "insertion before the contig",
            "CAAA",
            "1 C GC 1/1",
            "1 C GC 1/1",
            "G",
            "G",
        ),
        (
            "block substitution in pieces",
            plain,
            "6 GCA TT 1/1",
            "6 G T 1/1; 7 CA T 1/1",
            "G",
            "G G",
        ),
        (
            "insertion and SNP beside it",
            plain,
            "5 T TGA 1/1; 6 G A 1/1",
            "6 G GAA 1/1",
            "G G",
            "G",
        ),
        (
            "what cancels itself",
            homopolymer,
            "5 C CA 0/1; 9 AA A 0/1",
            "20 G C 0/1",
            "F F",
            "F",
        ),
        (
            "what cancels itself beside a call",
            homopolymer,
            "5 CA C 0/1; 8 A AA 0/1; 10 AA A 0/1",
            "5 CA C 0/1",
            "G F A",
            "G",
        ),
        (
            "what a third record gives already",
            repeat,
            "4 T TCACA 0/1; 5 C CAC 0/0; 7 C CAC 0/0",
            "4 T TCACA 0/1",
            "G F F",
            "G",
        ),
        (
            "the same, not given",
            repeat,
            "5 C CAC 0/1; 7 C CAC 0/1",
            "4 T TCACA 0/1",
            "G G",
            "G",
        ),
        (
            "a change that two truth records spell, each needed by another call",
            "AAAAAAAAAACCA",
            "1 AAAAAAAAAA AAAAAAAAAAAC 0/1; 11 C CC 0/1",
            "1 A AA 0/1; 10 A AC 0/1; 11 C CC 0/1",
            "G G",
            "G G G",
        ),
        (
            "the same beside a truth that is missed",
            repeat,
            "4 T TCACA 0/1; 5 C CAC 0/1; 7 C CAC 0/1",
            "4 T TCACA 0/1; 18 G C 0/1",
            "G F F",
            "G F",
        ),
        (
            "two ALTs that share a base, one after the other",
            plain,
            "6 GC TA,TG 0/0",
            "6 G T 0/1; 7 C A,G 1/2",
            "AA",
            "A AA",
        ),
        (
            "a SNP in a base that the same haplotypes have lost",
            plain,
            "5 TGC T 1/1; 7 C A 1/1",
            "5 TGC TA 1/1",
            "F F",
            "F",
        ),
        (
            "two calls of one change, each with its own spelling in the truth",
            "AAAAAAACACCCA",
            "6 AACA AACAC 0/1; 10 C CC 1/0",
            "6 A AAC 0/1; 7 ACA AC 0/1; 10 C CC 1/0",
            "G G",
            "G G G",
        ),
        (
            "a call given twice",
            plain,
            "6 G T 0/1; 6 G T 0/1",
            "6 G T 0/1",
            "G A",
            "G",
        ),
        (
            "`0/0` with the truth's allele",
            plain,
            "6 G T 0/0",
            "6 G T 0/1",
            "A",
            "A",
        ),
        (
            "`0/0` with another",
            plain,
            "6 G A 0/0",
            "6 G T 0/1",
            "F",
            "F",
        ),
        (
            "an ALT of nobody",
            plain,
            "6 G T,A 0/1",
            "6 G T 0/1",
            "GF",
            "G",
        ),
        (
            "an ALT of nobody in the truth",
            plain,
            "6 G A 0/1",
            "6 G T,A 0/1",
            "F",
            "FU",
        ),
        ("no change", plain, "6 G G 0/1", "6 G T 0/1", "U", "F"),
        (
            "symbolic",
            plain,
            "6 G <DEL> 0/1; 6 G T,<NON_REF> 0/1",
            "6 G T 0/1",
            "U GU",
            "G",
        ),
        ("lower case", plain, "6 g t 0/1", "6 G T 0/1", "G", "G"),
    ] {
        let result = judged(reference, calls, truths);
        assert_eq!(letters(&result.calls), expected_calls, "{name}: the calls");
        assert_eq!(
            letters(&result.truths),
            expected_truths,
            "{name}: the truth"
        );
    }
}

/// The two places of chr20 where hap.py's labels of the NA12878 calls say false and the sequences
/// are the same: b37 20:4883735 and 20:59933875, with the bases around them.
#[test]
fn where_happy_overlooks_equal_sequences() {
    let result = judged("TGAAAAGAGTAATT", "10 G GGA 1/1", "11 T C 0/1");
    assert_eq!(letters(&result.calls), "U", "REF is checked");
    let reference = "AGAGTAATTCTAAAG";
    let result = judged(reference, "4 G GGA 1/1; 5 T A 1/1", "5 T GAA 1|1");
    assert_eq!(letters(&result.calls), "G G");
    let reference = "AGGAGAGGAGACCTGC";
    let result = judged(
        reference,
        "9 A AAG 0/1; 10 GAC G 0/1",
        "10 G A 1|0; 11 A G 1|0; 12 C G 1|0",
    );
    assert_eq!(letters(&result.calls), "G G");
    assert_eq!(letters(&result.truths), "G G G");
}

fn reasons(calls: &str, truths: &str, options: MatchOptions) -> (AltState, GenotypeState) {
    let reference = b"ACGTTGCATCAGGATTACCAGTCAANNNN";
    let regions = [
        Interval { start: 2, end: 12 },
        Interval { start: 14, end: 40 },
    ];
    let result = judge(
        &sites(calls),
        &sites(truths),
        Some(&regions),
        reference.as_slice(),
        options,
    );
    (result.calls.alternates(0)[0], result.calls.genotype(0))
}

#[test]
fn reasons_are_told_apart() {
    let both = |reason| (AltState::Unjudged(reason), GenotypeState::Unjudged(reason));
    let usual = MatchOptions::default();
    for (calls, truths, expected) in [
        ("2 C T 0/1", "6 G T 0/1", both(Reason::OutsideConfident)),
        (
            "12 GG G 0/1",
            "6 G T 0/1",
            (AltState::False, GenotypeState::Wrong),
        ),
        ("11 AGG A 0/1", "6 G T 0/1", both(Reason::OutsideConfident)),
        ("13 GA G 0/1", "6 G T 0/1", both(Reason::OutsideConfident)),
        ("13 G GT 0/1", "6 G T 0/1", both(Reason::OutsideConfident)),
        ("6 A T 0/1", "6 G T 0/1", both(Reason::ReferenceMismatch)),
        ("27 N T 0/1", "6 G T 0/1", both(Reason::NoReference)),
        ("30 A T 0/1", "6 G T 0/1", both(Reason::NoReference)),
        ("6 G <DEL> 0/1", "6 G T 0/1", both(Reason::Symbolic)),
        ("6 G G]2:4] 0/1", "6 G T 0/1", both(Reason::Symbolic)),
        ("6 G . 0/1", "6 G T 0/1", both(Reason::NoChange)),
        ("6 G T 0/1", "", both(Reason::NoTruthOnContig)),
        (
            "6 G * 0/1",
            "6 G T 0/1",
            (
                AltState::Unjudged(Reason::SpanningDeletion),
                GenotypeState::Unjudged(Reason::NotCalled),
            ),
        ),
        (
            "6 G T 0/0",
            "6 G T 0/1",
            (
                AltState::AlleleOnly,
                GenotypeState::Unjudged(Reason::NotCalled),
            ),
        ),
        (
            "6 G T ./1",
            "6 G T 0/1",
            (
                AltState::AlleleOnly,
                GenotypeState::Unjudged(Reason::GenotypeMissing),
            ),
        ),
        (
            "6 G T 0/3",
            "6 G T 0/1",
            (
                AltState::AlleleOnly,
                GenotypeState::Unjudged(Reason::GenotypeMissing),
            ),
        ),
        (
            "6 G A .",
            "6 G T 0/1",
            (
                AltState::False,
                GenotypeState::Unjudged(Reason::GenotypeMissing),
            ),
        ),
        (
            "6 G T 0/1/1",
            "6 G T 0/1",
            (
                AltState::AlleleOnly,
                GenotypeState::Unjudged(Reason::Polyploid),
            ),
        ),
        (
            "6 G T 0/1",
            "6 G T .",
            (
                AltState::AlleleOnly,
                GenotypeState::Unjudged(Reason::TruthGenotypeMissing),
            ),
        ),
        (
            "6 GC TA 0/1",
            "6 G T .; 7 C A .",
            (
                AltState::AlleleOnly,
                GenotypeState::Unjudged(Reason::TruthGenotypeMissing),
            ),
        ),
        (
            "6 G A 0/1",
            "6 G T .",
            (AltState::False, GenotypeState::Wrong),
        ),
    ] {
        assert_eq!(
            reasons(calls, truths, usual),
            expected,
            "{calls} against {truths}"
        );
    }
    assert_eq!(
        reasons(
            "6 G A 0/1",
            "",
            MatchOptions {
                judge_without_truth: true,
            }
        ),
        (AltState::False, GenotypeState::Wrong)
    );
}

#[test]
fn truth_alleles_are_counted_by_kind_inside_the_regions() {
    let reference = b"ACGTTGCATCAGGATTACCAGTCAA";
    let truths = sites("2 C T 0/1; 6 G T 0/1; 7 CA C 0/1; 10 CA TT 1/1; 15 T TG,TC 1/2");
    let calls = sites("6 G T 0/1; 15 T TG 0/1");
    let regions = [Interval { start: 4, end: 25 }];
    let result = judge(
        &calls,
        &truths,
        Some(&regions),
        reference.as_slice(),
        MatchOptions::default(),
    );
    assert_eq!(
        result.truth_counts,
        TruthCounts {
            called_snps: 1,
            missed_snps: 1,
            called_indels: 1,
            missed_indels: 2
        }
    );
}

#[test]
fn what_cancels_itself_is_not_applied() {
    use super::haplotype::{Choice, Item, Side, search};
    use crate::genome::normalize::Edit;

    let insertion = Edit {
        start: 2,
        deleted: 0,
        inserted: b"A".to_vec(),
    };
    let deletion = Edit {
        start: 4,
        deleted: 1,
        inserted: Vec::new(),
    };
    let items = [&insertion, &deletion].map(|edit| Item {
        side: Side::Calls,
        start: edit.start,
        choices: vec![Choice {
            edits: [Some(edit), None],
            gain: (1, 0),
        }],
    });
    let applied = search(&items, 5, true, 100, b"CAAAAAAC".as_slice());
    assert_eq!(applied, Ok(Vec::new()));
}

#[test]
fn a_neighbourhood_with_too_many_readings_is_left_unjudged() {
    // Insertions of different letters everywhere in a homopolymer, none of them in the truth:
    // every set of deletions keeps a reading of its own open.
    let reference = format!("ACGT{}CGTAGC", "A".repeat(80));
    let calls: Vec<String> = (0..40)
        .map(|i| format!("{} {} A 0/1", 6 + 2 * i % 70, "A".repeat(2 + i % 7)))
        .collect();
    let truths: Vec<String> = (0..40)
        .map(|i| format!("{} A {} 0/1", 7 + 2 * i % 70, "A".repeat(9 + i % 5)))
        .collect();
    let result = judged(&reference, &calls.join(";"), &truths.join(";"));
    assert_eq!((result.clusters_compared, result.clusters_given_up), (1, 1));
    assert!(
        (0..result.calls.len())
            .any(|site| result.calls.genotype(site) == GenotypeState::Unjudged(Reason::TooComplex))
    );
}

#[test]
fn copies_of_the_truth_are_told_where_they_are_known() {
    let plain = "ACGTTGCATCAGGATTACCAGTCAA";
    for (name, calls, truths, expected) in [
        ("right", "6 G T 0/1", "6 G T 0/1", vec![Some(1)]),
        ("het for hom", "6 G T 0/1", "6 G T 1/1", vec![Some(2)]),
        ("hom for het", "6 G T 1/1", "6 G T 0/1", vec![Some(1)]),
        ("haploid", "6 G T 0/1", "6 G T 1", vec![Some(2)]),
        (
            "no genotype called",
            "6 G T ./.",
            "6 G T 0/1",
            vec![Some(1)],
        ),
        ("false", "6 G T 0/1", "6 G A 0/1", vec![Some(0)]),
        (
            "in a record of two",
            "6 G T,A ./.",
            "6 G A,T 1/2",
            vec![Some(1), Some(1)],
        ),
        (
            "two records",
            "6 G T 0/1",
            "6 G T 0/1; 6 G T 0/1",
            vec![Some(1)],
        ),
        (
            "no genotype in the truth",
            "6 G T 0/1",
            "6 G T ./.",
            vec![None],
        ),
        (
            "spelled otherwise, right",
            "6 GC TA 1/1",
            "6 G T 1/1; 7 C A 1/1",
            vec![Some(2)],
        ),
        (
            "spelled otherwise, wrong",
            "6 GC TA 0/1",
            "6 G T 1/1; 7 C A 1/1",
            vec![None],
        ),
    ] {
        let judged = judged(plain, calls, truths);
        assert_eq!(judged.calls.copies(0), expected, "{name}");
    }
}
