//! A page of calls as points: maps side by side, coloured by any column, with what is common in each cluster.
//!
//! Up to [`MOST_INSIDE`] calls the page holds its data; beyond that they are a script beside it, since a page that
//! was opened from a disk may load scripts and nothing else. Numbers lie one array behind the other, each at a
//! multiple of 8 bytes, little-endian, deflated, in base 64.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;

use crate::page::{PageError, STYLE, head, key_list, packed, script};

/// Calls that a page holds itself at most.
pub const MOST_INSIDE: usize = 50_000;

const MAP_STYLE: &str = include_str!("assets/map.css");
const MODULES: [&str; 2] = [
    include_str!("assets/site.js"),
    include_str!("assets/map.js"),
];

/// A map of all calls.
#[derive(Debug, Clone, Copy)]
pub struct Pane<'a> {
    /// Its name.
    pub name: &'a str,
    /// The place of each call.
    pub places: &'a [[f32; 2]],
}

/// Values of a column.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    /// Codes of words; -1 where the word is missing.
    Words(&'a [i32], &'a [String]),
    /// Numbers; NaN where one is missing.
    Numbers(&'a [f32]),
    /// Whole numbers.
    Integers(&'a [i64]),
}

/// What is more or less common in a cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Column of the clustering.
    pub clustering: String,
    /// The cluster.
    pub cluster: String,
    /// The column that is compared, and its word; no word for numbers.
    pub column: String,
    /// See `column`.
    pub value: Option<String>,
    /// Share or median in the cluster.
    pub inside: f64,
    /// Share or median outside.
    pub outside: f64,
    /// Odds ratio, or chance of the larger number.
    pub effect: f64,
    /// q as text.
    pub q: String,
}

/// A page in the making.
#[derive(Debug, Default)]
pub struct MapPage<'a> {
    /// Its title.
    pub title: String,
    /// Sentences above the map.
    pub notes: Vec<String>,
    /// Where it comes from: name and value.
    pub provenance: Vec<(String, String)>,
    /// Maps side by side.
    pub panes: Vec<Pane<'a>>,
    /// Columns; `contig`, `pos`, `ref` and `alt` are among them.
    pub columns: Vec<(&'a str, Values<'a>)>,
    /// What is common in clusters.
    pub findings: Vec<Finding>,
    /// A page of `view` beside this one, which shows the call under the pointer.
    pub view: Option<String>,
}

/// A page that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeMapPage {
    /// Its HTML.
    pub page: String,
    /// The script that holds its data, where it lies beside the page.
    pub data: Option<String>,
}

#[derive(Serialize)]
struct Array<'a> {
    name: &'a str,
    /// `words`, `number` or `integer`; `place` of a pane.
    kind: &'static str,
    /// Kind of the numbers: u8, u32, f32 or f64.
    of: &'static str,
    offset: usize,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    levels: &'a [String],
}

#[derive(Serialize)]
struct Index<'a> {
    calls: usize,
    panes: Vec<Array<'a>>,
    columns: Vec<Array<'a>>,
    findings: &'a [Finding],
    view: Option<&'a str>,
}

/// Arrays one behind the other.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    /// Where the next array begins.
    fn begin(&mut self) -> usize {
        let length = self.0.len().next_multiple_of(8);
        self.0.resize(length, 0);
        length
    }

    fn words(&mut self, codes: &[i32], levels: usize) -> (&'static str, usize) {
        let offset = self.begin();
        if levels < usize::from(u8::MAX) {
            let codes = codes.iter();
            self.0
                .extend(codes.map(|code| u8::try_from(*code).unwrap_or(u8::MAX)));
            ("u8", offset)
        } else {
            let codes = codes.iter();
            self.0.extend(codes.flat_map(|code| code.to_le_bytes()));
            ("u32", offset)
        }
    }
}

impl MapPage<'_> {
    /// The page; `data_name` is the name of the script with its data, should there be one.
    ///
    /// # Errors
    /// As [`PageError`] says.
    pub fn finish(self, data_name: &str) -> Result<MadeMapPage, PageError> {
        let mut bytes = Bytes::default();
        let calls = self.panes.first().map_or(0, |pane| pane.places.len());
        let panes = self.panes.iter().map(|pane| {
            let offset = bytes.begin();
            let places = pane.places.as_flattened().iter();
            bytes.0.extend(places.flat_map(|one| one.to_le_bytes()));
            Array {
                name: pane.name,
                kind: "place",
                of: "f32",
                offset,
                levels: &[],
            }
        });
        let panes = panes.collect();
        let columns = self.columns.iter().map(|(name, values)| {
            let (kind, of, offset, levels): (_, _, _, &[String]) = match values {
                Values::Words(codes, levels) => {
                    let (of, offset) = bytes.words(codes, levels.len());
                    ("words", of, offset, levels)
                }
                Values::Numbers(numbers) => {
                    let offset = bytes.begin();
                    let numbers = numbers.iter();
                    bytes.0.extend(numbers.flat_map(|one| one.to_le_bytes()));
                    ("number", "f32", offset, &[])
                }
                Values::Integers(numbers) => {
                    let offset = bytes.begin();
                    let numbers = numbers.iter().map(|one| *one as f64);
                    bytes.0.extend(numbers.flat_map(|one| one.to_le_bytes()));
                    ("integer", "f64", offset, &[])
                }
            };
            Array {
                name,
                kind,
                of,
                offset,
                levels,
            }
        });
        let index = serde_json::to_vec(&Index {
            calls,
            columns: columns.collect(),
            panes,
            findings: &self.findings,
            view: self.view.as_deref(),
        })?;
        let (index, data) = (packed(&index)?, packed(&bytes.0)?);
        let inside = calls <= MOST_INSIDE;
        let page = self.page(calls, &index, inside.then_some(data.as_str()), data_name);
        Ok(MadeMapPage {
            page: page.into_string(),
            data: (!inside).then(|| format!("globalThis.cnnfilterMap = \"{data}\";\n")),
        })
    }

    fn page(&self, calls: usize, index: &str, data: Option<&str>, data_name: &str) -> Markup {
        let script = script(&MODULES);
        let style = format!("{STYLE}{MAP_STYLE}");
        let more = match data {
            Some(_) => "; frame-src file: 'self'",
            None => " 'self' file:; frame-src file: 'self'",
        };
        html! {
            (DOCTYPE) "\n"
            html lang="en" {
                (head(&self.title, (&script, &style), more)) "\n"
                body { "\n"
                    header { "\n"
                        h1 { (self.title) } "\n"
                        p.note { (calls) (if calls == 1 { " call" } else { " calls" }) "." } "\n"
                        @for note in &self.notes { p.note { (note) } "\n" }
                        noscript { p { "This page draws with a script, which your browser does not run." } }
                    } "\n"
                    (body(&self.panes)) "\n"
                    footer { "\n"
                        details { summary { "Where this comes from" }
                            dl { @for (name, value) in &self.provenance { dt { (name) } dd { (value) } } }
                        } "\n"
                        details id="keys" { summary { "Keys" } (keys()) } "\n"
                    } "\n"
                    script type="text/plain" id="index" { (PreEscaped(index)) } "\n"
                    @if let Some(data) = data {
                        script type="text/plain" id="data" { (PreEscaped(data)) } "\n"
                    } @else {
                        script src=(data_name) {} "\n"
                    }
                    script type="module" { (PreEscaped(&script)) } "\n"
                } "\n"
            } "\n"
        }
    }
}

/// The parts that the script fills.
fn body(panes: &[Pane<'_>]) -> Markup {
    html! {
        main.map { "\n"
            div { "\n"
                div.bar { "\n"
                    label { "colour by " select id="column" {} } "\n"
                    button id="lasso" aria-pressed="false" title="l" { "lasso" } "\n"
                    button id="reset" title="0" { "whole map" } "\n"
                    button id="clear" title="Esc" { "clear selection" } "\n"
                    button id="png" title="p" { "PNG" } "\n"
                    button id="svg" title="s" { "SVG" } "\n"
                } "\n"
                div.panes.many[panes.len() > 2] { "\n"
                    @for (at, pane) in panes.iter().enumerate() {
                        figure { figcaption { (pane.name) }
                            canvas class="map" data-pane=(at) tabindex="0" role="img" aria-label={ "Map of the calls: " (pane.name) } {} } "\n"
                    }
                } "\n"
                p id="read-out" class="read" aria-live="polite" {} "\n"
                section id="seen" hidden { iframe id="frame" title="The call under the pointer" {} } "\n"
            } "\n"
            aside { "\n"
                h3 id="legend-title" {} "\n"
                div id="key" {} "\n"
                section id="cluster" {} "\n"
                section id="selection" { "\n"
                    h3 id="selected" role="status" { "No call is selected" } "\n"
                    div.bar {
                        button id="tsv" title="e" { "table" } "\n"
                        button id="vcf" title="v" { "VCF" } "\n"
                    } "\n"
                    div.scroll id="rows" {} "\n"
                } "\n"
            } "\n"
        }
    }
}

fn keys() -> Markup {
    let keys = [
        ("arrows", "move the map"),
        ("+ -", "closer, further; as the wheel"),
        ("0", "the whole map"),
        ("c C", "colour by the next column, the previous"),
        ("l", "lasso: the pointer draws around calls; Shift adds"),
        ("Esc", "clear the selection"),
        ("e v", "the selected calls as a table, as a VCF"),
        ("p s", "the maps as PNG, as SVG"),
    ];
    key_list(&keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_calls_lie_inside_the_page_and_many_beside_it() {
        for (calls, inside) in [(0, true), (3, true), (MOST_INSIDE + 1, false)] {
            let places = vec![[0.5f32, 1.5]; calls];
            let codes = vec![-1; calls];
            let page = MapPage {
                title: "a<b".into(),
                panes: vec![Pane {
                    name: "umap",
                    places: &places,
                }],
                columns: vec![("type", Values::Words(&codes, &[]))],
                ..MapPage::default()
            };
            let made = page.finish("x.data.js").unwrap();
            assert!(made.page.contains("a&lt;b"));
            assert_eq!(made.data.is_none(), inside);
            assert_eq!(made.page.contains("src=\"x.data.js\""), !inside);
        }
    }

    #[test]
    fn the_script_is_one_module() {
        let script = script(&MODULES);
        assert!(!script.contains("\nimport ") && !script.contains("\nexport "));
        assert!(!script.contains("</script"));
    }
}
