//! The option about the section of a report by MultiQC.

use std::path::{Path, PathBuf};

use clap::Args;

use super::files::Files;

/// What the name of a file ends in that MultiQC takes for a section.
const SUFFIX: &str = "_mqc.json";

// (See `run` for why this is no page.)
#[derive(Debug, Args)]
pub(crate) struct MultiqcArgs {
    /// Write the summary as a section for MultiQC: NAME_mqc.json or NAME.COMMAND_mqc.json, of the
    /// sample NAME.
    #[arg(long, value_name = "FILE", value_parser = parse, help_heading = "Output")]
    multiqc: Option<PathBuf>,
}

/// The file of a section, and the sample that it is about.
#[derive(Debug)]
pub(crate) struct MultiqcTarget {
    /// The file.
    pub(crate) path: PathBuf,
    /// The sample as the report calls it.
    pub(crate) sample: String,
}

fn parse(text: &str) -> Result<PathBuf, String> {
    match name_of(Path::new(text)) {
        Some(_) => Ok(PathBuf::from(text)),
        None => Err(format!(
            "expected a name that ends in {SUFFIX}, behind that of the sample; MultiQC overlooks others"
        )),
    }
}

/// The name of a file in front of its suffix; nothing where there is none.
fn name_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy();
    let name = name.strip_suffix(SUFFIX)?;
    (!name.is_empty()).then(|| name.to_owned())
}

impl MultiqcArgs {
    /// The target, if one was named; it joins `files`.
    pub(super) fn resolve(&self, command: &str, files: &mut Files) -> Option<MultiqcTarget> {
        let path = self.multiqc.clone()?;
        files.output("--multiqc", &path);
        let name = name_of(&path)?;
        let sample = name.strip_suffix(&format!(".{command}"));
        let sample = sample.filter(|sample| !sample.is_empty());
        Some(MultiqcTarget {
            sample: sample.unwrap_or(&name).to_owned(),
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_file_is_that_of_the_sample() {
        for (path, expected) in [
            ("a/NA12878.score_mqc.json", "NA12878"),
            ("NA12878_mqc.json", "NA12878"),
            ("NA12878.eval_mqc.json", "NA12878.eval"),
            (".score_mqc.json", ".score"),
        ] {
            let args = MultiqcArgs {
                multiqc: Some(parse(path).unwrap()),
            };
            let target = args.resolve("score", &mut Files::default()).unwrap();
            assert_eq!(target.sample, expected, "{path}");
        }
        for path in ["x.json", "_mqc.json", "-", "a_mqc.json/b"] {
            assert!(parse(path).is_err(), "{path}");
        }
    }
}
