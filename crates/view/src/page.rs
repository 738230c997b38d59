//! One self-contained page of many calls.
//!
//! Nothing is fetched, and the page's own policy forbids it: script and style are named by their
//! checksums. Calls lie in deflated chunks of 64 in base 64, which the browser unpacks one at
//! a time as they are shown. `assets/*.js` are modules without a framework; the page has them as one
//! script, in the order of `MODULES`.

use std::collections::BTreeSet;
use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::base64;
use crate::call::{Call, ScoredWith};
use crate::layout::Layout;
use crate::site;
use cnnfilter_core::label::GivenLabel;
use cnnfilter_core::why::Reason;

/// Calls that are unpacked together.
const CHUNK: usize = 64;

pub(crate) const STYLE: &str = include_str!("assets/view.css");

/// The modules of the page, each after those that it imports from.
const MODULES: [&str; 6] = [
    include_str!("assets/site.js"),
    include_str!("assets/packed.js"),
    include_str!("assets/draw.js"),
    include_str!("assets/marks.js"),
    include_str!("assets/calls.js"),
    include_str!("assets/page.js"),
];

/// A page in the making: calls are added one by one and kept as deflated bytes.
#[derive(Debug)]
pub struct Page {
    title: String,
    model: String,
    layout: Layout,
    notes: Vec<String>,
    provenance: Vec<(String, String)>,
    entries: Vec<Entry>,
    chunks: Vec<String>,
    /// Bytes of calls of the chunk that is being filled.
    open: Vec<u8>,
    in_open: usize,
}

/// A page that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A number that JSON cannot hold.
    #[error("the page's index cannot be written: {0}")]
    Index(#[from] serde_json::Error),
    /// Bytes that cannot be deflated, which memory gives always.
    #[error("the page's calls cannot be packed: {0}")]
    Pack(#[from] std::io::Error),
}

/// A line of the list of calls, as the page's script reads it.
#[derive(Debug, Serialize)]
pub struct Entry {
    contig: String,
    /// 1-based, as the VCF has it.
    pos: u64,
    id: String,
    #[serde(rename = "ref")]
    reference: String,
    alt: String,
    alts: String,
    sample: Option<String>,
    kind: &'static str,
    qual: Option<f32>,
    filter: String,
    in_file: Vec<(String, f64)>,
    #[serde(flatten)]
    scored: ScoredWith,
    label: Option<&'static str>,
    reads: Option<u64>,
    left_out: Vec<(String, u64)>,
    reasons: Vec<Reason>,
    suspect: Option<&'static str>,
}

#[derive(Serialize)]
struct Index<'a> {
    model: &'a str,
    chunk: usize,
    layout: &'a Layout,
    calls: &'a [Entry],
}

impl Page {
    /// An empty page of a model's calls.
    pub fn new(title: String, model: String, layout: Layout) -> Self {
        Self {
            title,
            model,
            layout,
            notes: Vec::new(),
            provenance: Vec::new(),
            entries: Vec::new(),
            chunks: Vec::new(),
            open: Vec::new(),
            in_open: 0,
        }
    }

    /// Says something above the calls.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Says something about where the page comes from.
    pub fn provenance(&mut self, name: &str, value: String) {
        self.provenance.push((name.to_owned(), value));
    }

    /// Calls so far.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The fragment of each record that has a call here ([`fragment`]).
    pub fn fragments(&self) -> BTreeSet<String> {
        let of = |entry: &Entry| fragment(&entry.contig, entry.pos, &entry.reference, &entry.alts);
        self.entries.iter().map(of).collect()
    }

    /// True where no call was added.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a call.
    ///
    /// # Errors
    /// [`PageError::Pack`].
    pub fn add(&mut self, call: Call) -> Result<(), PageError> {
        let mut bytes = Vec::new();
        site::write(&call, &self.layout, &mut bytes);
        self.open.extend((bytes.len() as u32).to_le_bytes());
        self.open.append(&mut bytes);
        self.in_open += 1;
        self.entries.push(Entry::of(call));
        if self.in_open == CHUNK {
            self.close_chunk()?;
        }
        Ok(())
    }

    fn close_chunk(&mut self) -> Result<(), PageError> {
        self.chunks.push(packed(&self.open)?);
        self.open.clear();
        self.in_open = 0;
        Ok(())
    }

    /// The page.
    ///
    /// # Errors
    /// As [`PageError`] says.
    pub fn finish(mut self) -> Result<String, PageError> {
        if self.in_open > 0 {
            self.close_chunk()?;
        }
        let index = serde_json::to_vec(&Index {
            model: &self.model,
            chunk: CHUNK,
            layout: &self.layout,
            calls: &self.entries,
        })?;
        let index = packed(&index)?;
        let script = script(&MODULES);
        let page = html! {
            (DOCTYPE) "\n"
            html lang="en" {
                (head(&self.title, (&script, STYLE), "")) "\n"
                body { "\n"
                    (self.header()) "\n"
                    (main()) "\n"
                    (self.footer()) "\n"
                    script type="text/plain" id="index" { (PreEscaped(index)) } "\n"
                    @for (at, chunk) in self.chunks.iter().enumerate() {
                        script type="text/plain" id={ "chunk-" (at) } { (PreEscaped(chunk)) } "\n"
                    }
                    script type="module" { (PreEscaped(&script)) } "\n"
                } "\n"
            } "\n"
        };
        Ok(page.into_string())
    }

    fn header(&self) -> Markup {
        html! {
            header { "\n"
                h1 { (self.title) } "\n"
                p.note { (self.entries.len()) (if self.entries.len() == 1 { " call" } else { " calls" }) ", scored with " (self.model) "." } "\n"
                @for note in &self.notes { p.note { (note) } "\n" }
                noscript { p { "This page draws with a script, which your browser does not run." } }
            }
        }
    }

    fn footer(&self) -> Markup {
        html! {
            footer { "\n"
                details { summary { "Where this comes from" }
                    dl {
                        @for (name, value) in &self.provenance { dt { (name) } dd { (value) } }
                    }
                } "\n"
                details id="keys" { summary { "Keys" } (keys()) } "\n"
            }
        }
    }
}

impl Entry {
    /// The line of a call.
    pub fn of(call: Call) -> Self {
        let why = call.why.unwrap_or_default();
        Self {
            contig: call.contig,
            pos: call.start + 1,
            id: call.id,
            reference: call.reference,
            alt: call.alternate,
            alts: call.alternates,
            sample: call.sample,
            kind: call.kind.name(),
            qual: call.quality,
            filter: call.filter,
            in_file: call.in_file,
            scored: call.scored,
            label: call.label.and_then(|label| match label {
                GivenLabel::Right => Some("real"),
                GivenLabel::AlleleOnly => Some("real, other genotype"),
                GivenLabel::False => Some("false"),
                GivenLabel::NotAssessed => None,
            }),
            reads: call.reads_seen,
            left_out: call.left_out,
            suspect: why.suspect.map(|suspect| suspect.text()),
            reasons: why.reasons,
        }
    }
}

/// What stands behind `#` in an address that opens a page at a record: `chr20:1234:A:G,AT`, each byte
/// escaped that a fragment must not have. `position` is 1-based, `alternates` the ALT column.
pub fn fragment(contig: &str, position: u64, reference: &str, alternates: &str) -> String {
    let mut fragment = String::new();
    for byte in format!("{contig}:{position}:{reference}:{alternates}").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:,*+=/@".contains(&byte) {
            fragment.push(char::from(byte));
        } else {
            fragment += &format!("%{byte:02X}");
        }
    }
    fragment
}

/// Deflated, in base 64.
pub(crate) fn packed(bytes: &[u8]) -> Result<String, PageError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(9));
    encoder.write_all(bytes)?;
    Ok(base64::encode(&encoder.finish()?))
}

/// The modules as one: without their imports and exports.
pub(crate) fn script(modules: &[&str]) -> String {
    let mut script = String::new();
    for line in modules.iter().flat_map(|module| module.lines()) {
        if line.starts_with("import ") {
            continue;
        }
        script += line.strip_prefix("export ").unwrap_or(line);
        script.push('\n');
    }
    script
}

/// The head of a page whose policy allows this script and this style, and what `more` names.
pub(crate) fn head(title: &str, (script, style): (&str, &str), more: &str) -> Markup {
    let checksum = |text: &str| base64::encode(&Sha256::digest(text.as_bytes()));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'{more}; style-src 'sha256-{}'; img-src data: blob:; \
         base-uri 'none'; form-action 'none'",
        checksum(script),
        checksum(style),
    );
    html! {
        head { "\n"
            meta charset="utf-8"; "\n"
            meta name="viewport" content="width=device-width, initial-scale=1"; "\n"
            meta name="color-scheme" content="light dark"; "\n"
            meta http-equiv="Content-Security-Policy" content=(policy); "\n"
            link rel="icon" href="data:,"; "\n"
            title { (title) } "\n"
            style { (PreEscaped(style)) } "\n"
        }
    }
}

/// The part of a page that its script fills, for a page that gets its calls in another way, and the table of keys.
pub fn markup() -> (String, String) {
    (main().into_string(), keys().into_string())
}

/// The parts that the script fills.
fn main() -> Markup {
    html! {
        main { "\n"
            nav id="calls" aria-label="Calls" { "\n"
                div.tools { "\n"
                    label { span.sr { "Filter the calls" }
                        input type="search" id="filter" placeholder="filter: chr20 INDEL fail prob<0.5 …" autocomplete="off" spellcheck="false"; } "\n"
                    label { span.sr { "Jump to a locus" }
                        input type="text" id="jump" placeholder="jump: chr20:12345" autocomplete="off" spellcheck="false"; } "\n"
                } "\n"
                p id="count" class="note" role="status" {} "\n"
                div id="list" tabindex="0" role="listbox" aria-label="List of calls" {} "\n"
            } "\n"
            article id="call" { "\n"
                div id="title" {} "\n"
                div id="bar" class="bar" {} "\n"
                div id="stage" { "\n"
                    section id="reads" { "\n"
                        div class="canvas" { canvas id="pileup" role="img" aria-describedby="read-out" {} } "\n"
                        p id="read-out" class="read" aria-live="polite" {} "\n"
                        div id="legend" class="legend" {} "\n"
                        section id="channels" {} "\n"
                    } "\n"
                    section id="numbers" {} "\n"
                } "\n"
                section id="tiles" hidden {} "\n"
                details id="table" { summary { "The reads as a table" } div class="scroll" {} } "\n"
            } "\n"
        }
    }
}

fn keys() -> Markup {
    let keys = [
        ("j k, arrows", "next and previous call"),
        ("n", "next call that fails"),
        ("s", "sort the list by the next column"),
        ("/", "to the filter box"),
        ("g", "to the jump box"),
        ("t", "tiles of many calls"),
        (
            "c C",
            "one channel by itself, the next, the previous; Esc for all",
        ),
        ("w", "colour cells by their contribution to the score"),
        (
            "p",
            "play: step through calls, or through channels while one is shown",
        ),
        ("r f u x", "mark real, false, unsure; take the mark away"),
        (
            "e",
            "export the marks as a table for tensors --labels and eval --labels",
        ),
    ];
    key_list(&keys)
}

/// The keys of a page with what they do.
pub(crate) fn key_list(keys: &[(&str, &str)]) -> Markup {
    html! {
        dl.keys {
            @for (key, text) in keys { dt { kbd { (key) } } dd { (text) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnfilter_core::encode::Encoder;
    use cnnfilter_core::networks::allele::Channels;

    #[test]
    fn an_empty_page_is_a_page() {
        let layout = Layout::of(
            &Encoder::allele(true, Vec::new()),
            None,
            &Channels::usual(true),
        );
        let mut page = Page::new("a<b".into(), "m".into(), layout);
        page.note("no call is chosen".into());
        let text = page.finish().unwrap();
        assert!(text.contains("a&lt;b") && text.contains("no call is chosen"));
        assert!(!text.contains("chunk-0"));
    }

    #[test]
    fn a_fragment_has_no_letter_that_an_address_must_not_have() {
        assert_eq!(fragment("chr20", 12, "A", "G,AT"), "chr20:12:A:G,AT");
        let odd = fragment("é%\"<", 1, "A", "<DEL>#]");
        assert_eq!(odd, "%C3%A9%25%22%3C:1:A:%3CDEL%3E%23%5D");
    }

    #[test]
    fn the_script_is_one_module() {
        let script = script(&MODULES);
        assert!(!script.contains("\nimport ") && !script.contains("\nexport "));
        assert!(!script.contains("</script"));
    }
}
