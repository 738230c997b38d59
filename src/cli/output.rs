//! Options about the calls that come out.

use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};

use super::usage::Wrong;
use crate::io::standard_output;
use crate::io::vcf_writer::{OutputFormat, OutputOptions};

// Where calls go. (See `run` for why this is no page.)
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct CallsOutputArgs {
    /// The calls that come out; `-`, or none given, is standard output.
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Output format: v VCF, z VCF.gz, b BCF, u uncompressed BCF; the suffix of the output decides
    /// where this is left out. A file name here is the output, as in GATK.
    #[arg(short = 'O', long = "output-type", value_name = "u|b|v|z", value_parser = parse_output)]
    pub(crate) output_type: Option<OutputArgument>,

    /// No index beside a compressed output.
    #[arg(long)]
    pub(crate) no_index: bool,

    /// GATK's way to say the same as --no-index, with `false`.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set, hide = true)]
    pub(crate) create_output_variant_index: bool,
}

/// The value of `-O`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OutputArgument {
    /// A format, as in bcftools.
    Format(OutputFormat),
    /// The output, as in GATK.
    File(PathBuf),
}

fn parse_output(text: &str) -> Result<OutputArgument, String> {
    // A compression level may follow, as bcftools has it; ours is fixed.
    let format = match text.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "v" => OutputFormat::Vcf,
        "z" => OutputFormat::VcfGz,
        "b" => OutputFormat::Bcf,
        "u" => OutputFormat::BcfUncompressed,
        _ if text.contains(['.', '/']) || text == "-" => {
            return Ok(OutputArgument::File(PathBuf::from(text)));
        }
        _ => {
            return Err(
                "expected v (VCF), z (VCF.gz), b (BCF) or u (uncompressed BCF), or a file name"
                    .to_owned(),
            );
        }
    };
    Ok(OutputArgument::Format(format))
}

impl CallsOutputArgs {
    /// Where the calls go, and how.
    ///
    /// # Errors
    /// Two outputs.
    pub(super) fn resolve(self, threads: usize) -> Result<OutputOptions, Wrong> {
        let (format, path) = match (self.output_type, self.output) {
            (Some(OutputArgument::File(_)), Some(_)) => {
                return Err(Wrong::conflict("-o and -O both name an output"));
            }
            (Some(OutputArgument::File(path)), None) => (None, Some(path)),
            (Some(OutputArgument::Format(format)), path) => (Some(format), path),
            (None, path) => (None, path),
        };
        let path = path.unwrap_or_else(|| "-".into());
        Ok(OutputOptions {
            format: format
                .or_else(|| OutputFormat::from_suffix(&path))
                .unwrap_or(OutputFormat::Vcf),
            path: plain(&path),
            index: !self.no_index && self.create_output_variant_index,
            threads,
        })
    }
}

/// An output's path; every name of standard output becomes `-`.
pub(super) fn plain(path: &Path) -> PathBuf {
    if standard_output::is_meant(path) {
        "-".into()
    } else {
        path.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_type_is_a_format_or_a_file() {
        use OutputArgument::{File, Format};
        for (text, expected) in [
            ("z9", Format(OutputFormat::VcfGz)),
            ("u", Format(OutputFormat::BcfUncompressed)),
            ("-", File("-".into())),
            ("a.vcf", File("a.vcf".into())),
        ] {
            assert_eq!(parse_output(text), Ok(expected), "{text}");
        }
        assert!(parse_output("q").is_err());
    }

    #[test]
    fn standard_output_has_one_name() {
        assert_eq!(plain(Path::new("/dev/stdout")), Path::new("-"));
        assert_eq!(plain(Path::new("stdout")), Path::new("stdout"));
    }
}
