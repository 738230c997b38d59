//! Models that earlier versions wrote.

use std::path::Path;

use crate::support::*;

/// Scores of the demo's records by the models that 0.1.0 trained, as 0.1.0 gave them.
#[test]
fn models_of_0_1_0_score_as_they_did() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/models_0.1.0");
    let table = std::fs::read_to_string(data.join("scores.tsv")).unwrap();
    let mut lines = table.lines();
    let keys: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let expected: Vec<Vec<f64>> = lines
        .map(|line| {
            line.split('\t')
                .map(|score| score.parse().unwrap())
                .collect()
        })
        .collect();
    let bam = demo("reads.bam");
    for (column, (name, more)) in [("reads", vec!["-I", text(&bam)]), ("reference", vec![])]
        .into_iter()
        .enumerate()
    {
        let card = std::fs::read_to_string(data.join(name).join("model.json")).unwrap();
        assert!(card.contains("\"format\": 1,"), "{name}");
        let scored = records(&succeed(score(&demo("calls.vcf"), &data.join(name), &more)));
        assert_eq!(scored.len(), expected.len());
        for (line, expected) in scored.iter().zip(&expected) {
            let found: f64 = info(line, keys[column]).unwrap().parse().unwrap();
            // Printed with three decimals; instruction sets round differently.
            assert!((found - expected[column]).abs() < 0.002, "{name}: {line}");
        }
    }
}
