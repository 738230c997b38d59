//! `import`, without GATK's own files: what is refused, and how. The real jar is imported by the
//! tests on real data.

use std::io::{Cursor, Write};

use crate::support::*;

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn files_without_weights_are_refused_with_a_reason() {
    let lab = Lab::new();
    let no_module = zip(&[("m/data.pkl", b"\x80\x02}.")]);
    let cases = [
        ("text.jar", b"hello".to_vec(), "no readable zip archive"),
        (
            "empty.jar",
            zip(&[("META-INF/x", b"")]),
            "no `nvscorevariants/*.pt` in it",
        ),
        (
            "old.jar",
            zip(&[("large/cnn_score_variants/small_2d.hd5", b"\x89HDF")]),
            "the jar of GATK 4.6.1 or later has the same weights as .pt",
        ),
        (
            "weights.hd5",
            b"\x89HDF\r\n\x1a\n and more".to_vec(),
            "the jar of GATK 4.6.1 or later has the same weights as .pt",
        ),
        (
            "module.pt",
            no_module.clone(),
            "but not those of 1d_cnn_mix_train_full_bn, small_2d",
        ),
        (
            "outer.jar",
            zip(&[("large/nvscorevariants/x.pt", &no_module)]),
            "outer.jar!large/nvscorevariants/x.pt",
        ),
        (
            "release.zip",
            zip(&[("gatk/gatk-local.jar", &zip(&[("large/x.pt", &no_module)]))]),
            "release.zip!gatk/gatk-local.jar!large/x.pt",
        ),
        (
            "bomb.pt",
            zip(&[("m/data.pkl", &b"X\xff\xff\xff\x7f"[..])]),
            "cut off",
        ),
    ];
    for (name, bytes, reason) in cases {
        let file = lab.file(name, bytes);
        let target = lab.path("models");
        let message = fail(
            program(&["import", text(&file), "-o", text(&target)])
                .output()
                .unwrap(),
        );
        assert!(message.contains(reason), "{name}: {message}");
        assert!(message.contains(name), "{name}: {message}");
        assert!(!target.exists(), "{name} left a model folder");
    }
    let missing = lab.path("missing.jar");
    let target = lab.path("models");
    let message = fail(
        program(&["import", text(&missing), "-o", text(&target)])
            .output()
            .unwrap(),
    );
    assert!(message.contains("cannot open"), "{message}");
}
