//! One call as lines of text: for a terminal, or for a file.

use std::fmt::Write as _;

use crate::call::Call;
use crate::layout::{Layout, Sort, Symbol};
use crate::site::{Rows, column_positions};
use cnnfilter_core::score::log_odds::{LABELS, probabilities};

/// Writes calls as text.
#[derive(Debug)]
pub struct Terminal<'a> {
    layout: &'a Layout,
    /// With ANSI colours.
    colour: bool,
}

/// Contributions below this are not shown beside a read.
const LEAST: f32 = 0.005;
/// Width of the bars of outputs, in letters.
const BAR: usize = 20;

/// Styles, as numbers of ANSI's "select graphic rendition".
mod style {
    pub(super) const BOLD: &str = "1";
    pub(super) const DIM: &str = "2";
    pub(super) const GREEN: &str = "32";
    pub(super) const RED: &str = "31";
    pub(super) const YELLOW: &str = "33";
    pub(super) const BLUE: &str = "34";
    pub(super) const CYAN: &str = "36";
}

impl<'a> Terminal<'a> {
    /// For calls with tensors of this layout.
    pub fn new(layout: &'a Layout, colour: bool) -> Self {
        Self { layout, colour }
    }

    /// The call: what it is, outputs, reasons, pileup.
    pub fn show(&self, call: &Call) -> String {
        let mut text = String::new();
        self.heading(call, &mut text);
        self.outputs(call, &mut text);
        self.reasons(call, &mut text);
        self.pileup(call, &mut text);
        text
    }

    fn styled(&self, style: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn heading(&self, call: &Call, out: &mut String) {
        let place = format!("{}:{}", call.contig, call.start + 1);
        let mut facts = vec![
            self.styled(
                style::BOLD,
                &format!("{place} {}>{}", call.reference, call.alternate),
            ),
            call.kind.name().to_owned(),
        ];
        if let Some(sample) = &call.sample {
            facts.push(format!("sample {sample}"));
        }
        if let Some(quality) = call.quality {
            facts.push(format!("QUAL {quality}"));
        }
        facts.push(format!("FILTER {}", call.filter));
        line(out, &facts.join("  "));
        let scored = &call.scored;
        let mut facts = vec![format!("score {:.3}", scored.score)];
        if let Some(probability) = scored.probability {
            facts.push(format!("probability {probability:.5}"));
        }
        if let Some(threshold) = scored.threshold {
            facts.push(format!("threshold {threshold:.5}"));
        }
        for (key, value) in &call.in_file {
            facts.push(format!("{key} in the file {}", in_digits(*value)));
        }
        line(out, &facts.join("  "));
        out.push('\n');
    }

    fn outputs(&self, call: &Call, out: &mut String) {
        for (name, share) in LABELS.iter().zip(probabilities(call.scored.logits)) {
            let filled = (share * BAR as f64).round() as usize;
            let bar = "#".repeat(filled);
            line(out, &format!("{name:<9} {share:.5} {bar}"));
        }
        out.push('\n');
    }

    fn reasons(&self, call: &Call, out: &mut String) {
        let Some(why) = &call.why else {
            return;
        };
        if let Some(suspect) = why.suspect {
            line(out, &self.styled(style::BOLD, suspect.text()));
        }
        // Those for the verdict come first.
        for reason in &why.reasons {
            let (name, colour) = match reason.value > 0.0 {
                true => ("for", style::GREEN),
                false => ("against", style::RED),
            };
            let value = self.styled(colour, &format!("{:+.2}", reason.value));
            let (code, text) = (reason.code, &reason.text);
            line(out, &format!("{name:<8} {value}  {code:<11} {text}"));
        }
        out.push('\n');
    }

    /// Reference, ALT and reads, a letter a column: `.` and `,` are the reference's base on the forward and on
    /// the reverse strand.
    fn pileup(&self, call: &Call, out: &mut String) {
        let rows = Rows::of(&call.example.tensor);
        self.ruler(call, &rows, out);
        let of = |codes: &[u8]| -> String { codes.iter().map(|code| self.letter(*code)).collect() };
        line(out, &format!("  {} REF", of(&rows.reference)));
        if self.layout.has_alternate {
            let alternate = rows.alternate.iter().zip(&rows.reference);
            let letters = alternate.map(|(code, reference)| {
                let letter = self.letter(*code).to_string();
                match code == reference {
                    true => letter,
                    false => self.styled(colour_of(self.letter(*code)), &letter),
                }
            });
            line(out, &format!("  {} ALT", letters.collect::<String>()));
        }
        for row in 0..rows.count() {
            self.row(call, &rows, row, out);
        }
        if rows.count() == 0 {
            line(out, "  no read");
        }
        if let Some(seen) = call.reads_seen.filter(|seen| *seen > rows.count() as u64) {
            let text = format!("  {} of {seen} reads are shown", rows.count());
            line(out, &text);
        }
    }

    /// The position of the first column of the change, above it.
    fn ruler(&self, call: &Call, rows: &Rows, out: &mut String) {
        let positions = column_positions(call, rows, self.layout);
        let event = self.layout.event_column;
        let mark = format!("{}v", " ".repeat(event + 2));
        let shown = positions.get(event).copied().flatten();
        let text = shown.map(|position| format!("{mark} {}", position + 1));
        line(out, &text.unwrap_or(mark));
    }

    fn row(&self, call: &Call, rows: &Rows, row: usize, out: &mut String) {
        let columns = rows.columns;
        let reverse = self.number(rows, row, &["reverse", "flag_bit_4"]) > 0.5;
        let mut text = format!("{} ", if reverse { '-' } else { '+' });
        for column in 0..columns {
            let at = row * columns + column;
            text += &self.cell(
                rows.symbols[at],
                rows.qualities[at],
                rows.reference[column],
                reverse,
            );
        }
        let side = ["ALT", "REF", "-", ""][usize::from(rows.sides[row].min(3))];
        let mapping = self.number(rows, row, &["mapping_quality"]) * 60.0;
        let _ = write!(text, " {side:<3} {mapping:>2.0}");
        let reads = call.why.as_ref().map(|why| &why.reads);
        if let Some(value) = reads
            .and_then(|reads| reads.get(row))
            .filter(|one| one.abs() >= LEAST)
        {
            let colour = if *value > 0.0 {
                style::GREEN
            } else {
                style::RED
            };
            text += &format!(" {}", self.styled(colour, &format!("{value:+.2}")));
        }
        line(out, &text);
    }

    /// A number of a read by the first of its names that the layout has; 0 without.
    fn number(&self, rows: &Rows, row: usize, names: &[&str]) -> f32 {
        let numbers = &self.layout.read;
        let at = numbers
            .iter()
            .position(|one| names.contains(&one.name.as_str()));
        let value = at.and_then(|at| rows.numbers.get(row * numbers.len() + at));
        value.copied().unwrap_or(0.0)
    }

    fn cell(&self, code: u8, quality: u8, reference: u8, reverse: bool) -> String {
        let Some(symbol) = self.layout.symbol(code) else {
            return " ".to_owned();
        };
        let plain = self.letter(code);
        let letter = match symbol.sort {
            Sort::Base if symbol.base == self.base(reference) => match reverse {
                true => ',',
                false => '.',
            },
            Sort::Base if reverse => plain.to_ascii_lowercase(),
            _ => plain,
        };
        let is_base = symbol.sort == Sort::Base;
        if is_base && symbol.base != self.base(reference) && quality >= 15 {
            self.styled(colour_of(plain), &letter.to_string())
        } else if symbol.clipped || quality < 15 {
            self.styled(style::DIM, &letter.to_string())
        } else {
            letter.to_string()
        }
    }

    /// The code that a symbol is compared by.
    fn base(&self, code: u8) -> u8 {
        self.layout.symbol(code).map_or(code, |symbol| symbol.base)
    }

    fn letter(&self, code: u8) -> char {
        match self.layout.symbol(code) {
            Some(Symbol {
                sort: Sort::Empty, ..
            })
            | None => ' ',
            Some(Symbol {
                sort: Sort::Gap, ..
            }) => '*',
            Some(Symbol {
                sort: Sort::Pad, ..
            }) => '-',
            Some(symbol) => {
                let letter = symbol.text.chars().next().unwrap_or('?');
                letter.to_ascii_uppercase()
            }
        }
    }
}

/// A score of a file with at most five decimals.
fn in_digits(value: f64) -> String {
    let text = format!("{value:.5}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

/// The colour of a base; gaps have that of no base.
fn colour_of(letter: char) -> &'static str {
    match letter {
        'A' => style::GREEN,
        'C' => style::BLUE,
        'G' => style::YELLOW,
        'T' => style::RED,
        _ => style::CYAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::ScoredWith;
    use cnnfilter_core::encode::allele::columns::WINDOW;
    use cnnfilter_core::encode::{Encoder, SiteTensor};
    use cnnfilter_core::genome::VariantKind;
    use cnnfilter_core::networks::allele::Channels;
    use cnnfilter_core::networks::{Builtin, Model, gatk};
    use cnnfilter_core::why::{Reason, Suspect, Why};

    fn model() -> Model {
        let builtin = Builtin::named("cnnfilter_reads").unwrap();
        builtin.load("cpu".parse().unwrap()).unwrap()
    }

    /// A call with rows of reads: all as the reference but the second, which has a `T` everywhere.
    fn call(model: &Model) -> Call {
        let mut example = model.architecture().made_up(3, 3);
        let SiteTensor::Allele(tensor) = &mut example.tensor else {
            panic!("our own tensor");
        };
        tensor.haplotype.reference = [1; WINDOW];
        tensor.haplotype.alternate = [1; WINDOW];
        for (at, row) in tensor.rows.iter_mut().enumerate() {
            *row = [[if at == 1 { 4 } else { 1 }, 30]; WINDOW];
        }
        Call {
            contig: "c".into(),
            start: 99,
            id: ".".into(),
            reference: "A".into(),
            alternate: "T".into(),
            alternates: "T".into(),
            sample: None,
            kind: VariantKind::Snp,
            quality: Some(12.5),
            filter: "PASS".into(),
            in_file: vec![("CNN_2D".into(), -0.250_000_004)],
            scored: ScoredWith {
                logits: [0.0, -9.0, 0.0, -9.0],
                score: -0.25,
                probability: Some(0.25),
                threshold: None,
            },
            label: None,
            reads_seen: Some(7),
            left_out: Vec::new(),
            names: Vec::new(),
            example,
            why: Some(Why {
                reads: vec![0.5, -1.0, 0.0],
                reasons: vec![Reason {
                    code: "strand",
                    value: -1.5,
                    text: "one strand".into(),
                }],
                suspect: Some(Suspect::Slippage),
                ..Why::default()
            }),
        }
    }

    #[test]
    fn a_call_is_readable_without_colours() {
        let model = model();
        let layout = Layout::of_model(&model);
        let text = Terminal::new(&layout, false).show(&call(&model));
        assert!(!text.contains('\x1b'), "{text}");
        for part in [
            "c:100 A>T  SNP  QUAL 12.5  FILTER PASS\n",
            "score -0.250  probability 0.25000  CNN_2D in the file -0.25\n",
            "SNP       0.49994 ##########\n",
            "looks like a slip of a repeat\n",
            "against  -1.50  strand      one strand\n",
            "v 100\n",
            "3 of 7 reads are shown",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        let reads: Vec<&str> = text.lines().filter(|line| line.len() > WINDOW).collect();
        assert!(reads.iter().all(|line| line.chars().count() < 85), "{text}");
        let of_ts = reads
            .iter()
            .filter(|line| line.contains("TTTT") || line.contains("tttt"));
        assert_eq!(of_ts.count(), 1, "{text}");
        assert!(
            text.contains(" +0.50\n") && text.contains(" -1.00\n"),
            "{text}"
        );
    }

    #[test]
    fn gatks_tensor_is_shown_too() {
        let encoder = Encoder::Gatk {
            reads: false,
            annotations: vec!["MQ".to_owned()],
        };
        let layout = Layout::of(&encoder, None, &Channels::usual(true));
        let model = model();
        let mut call = call(&model);
        let reference = gatk::architecture(&gatk::spec::REFERENCE_1D);
        call.example = reference.made_up(1, 0);
        let text = Terminal::new(&layout, true).show(&call);
        assert!(
            text.contains(" REF\n") && text.contains("no read"),
            "{text}"
        );
    }
}
