//! `import`: files that are none of GATK's. What is inside a jar is in [`crate::import`].

use super::*;

fn import() -> Case {
    Case::new("import x.jar -o models", &["calls.vcf", "reads.bam"])
}

/// A jar with members of zeros, well compressed.
fn jar(case: &Case, members: usize, size: usize) {
    let mut writer = zip::ZipWriter::new(std::fs::File::create(case.path("x.jar")).unwrap());
    let zeros = vec![0; size];
    for at in 0..members {
        let options = zip::write::SimpleFileOptions::default();
        writer
            .start_file(format!("large/{at}.pt"), options)
            .unwrap();
        std::io::Write::write_all(&mut writer, &zeros).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn archives() {
    check(
        import,
        &[
            ("no file", |_| (), &["x.jar: cannot open"]),
            (
                "a folder",
                |c| std::fs::create_dir(c.path("x.jar")).unwrap(),
                &["x.jar: cannot read: Is a directory"],
            ),
            (
                "an empty file",
                |c| c.write("x.jar", ""),
                &["x.jar: expected a GATK jar"],
            ),
            (
                "a page that says why there is no file",
                |c| c.write("x.jar", "<html>404</html>"),
                &["x.jar: expected a GATK jar", "no readable zip archive"],
            ),
            (
                "calls",
                |c| c.arguments[1] = "calls.vcf".into(),
                &["calls.vcf: expected a GATK jar"],
            ),
            (
                "reads",
                |c| c.arguments[1] = "reads.bam".into(),
                &["reads.bam: expected a GATK jar"],
            ),
            (
                "a jar that is cut off",
                |c| {
                    jar(c, 3, 10_000);
                    c.truncate("x.jar", 0.5);
                },
                &["x.jar: expected a GATK jar", "no readable zip archive"],
            ),
            (
                "a module that is none",
                |c| jar(c, 1, 10_000),
                &["x.jar!large/0.pt: it is not a readable zip archive"],
            ),
            (
                "modules that grow too large",
                |c| jar(c, 3, 60 << 20),
                &[
                    "x.jar: member `large/2.pt`, with those before it, is larger than 134217728 bytes",
                ],
            ),
        ],
    );
}
