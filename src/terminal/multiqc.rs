//! Sections of a report by MultiQC, in the format of its custom content: a file holds one row or one bar,
//! and MultiQC joins those of one section from all files.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// A section: what a command says of one sample.
#[derive(Debug)]
pub(crate) struct Section {
    /// Files with the same name here make one section.
    pub(crate) id: &'static str,
    /// Its heading.
    pub(crate) name: &'static str,
    /// The sentence below.
    pub(crate) description: &'static str,
    /// The form of the section.
    pub(crate) show: Show,
    /// The figures in order.
    pub(crate) columns: Vec<Column>,
}

/// How a section looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// A table with a row a sample.
    Table,
    /// Stacked bars, one a sample.
    Bars,
}

/// A figure of a sample.
#[derive(Debug)]
pub(crate) struct Column {
    id: String,
    header: Header,
    value: Value,
}

/// A count, a figure, or nothing where it is not defined.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
enum Value {
    Count(u64),
    Figure(Option<f64>),
}

/// The heading of a column, or the category of a bar, in MultiQC's words.
#[derive(Debug, Serialize)]
struct Header {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<bool>,
}

impl Column {
    /// A count of a table.
    pub(crate) fn count(id: &str, title: &str, description: &str, count: u64) -> Self {
        let header = Header::of_table(title, description, "{:,.0f}", None, "Blues");
        Self::new(id, header, Value::Count(count))
    }

    /// A share of a table, 0 to 1, shown in percent.
    pub(crate) fn share(id: &str, title: &str, description: &str, share: Option<f64>) -> Self {
        let header = Header::of_table(title, description, "{:,.2f}", Some(100), "RdYlGn");
        let percent = share.map(|share| 100.0 * share);
        Self::new(id, header, Value::Figure(percent))
    }

    /// A figure of a table, 0 to 1.
    pub(crate) fn figure(id: &str, title: &str, description: &str, figure: Option<f64>) -> Self {
        let header = Header::of_table(title, description, "{:,.4f}", Some(1), "RdYlGn");
        Self::new(id, header, Value::Figure(figure))
    }

    /// A part of a bar.
    pub(crate) fn bar(id: &str, name: &str, count: u64, color: &'static str) -> Self {
        let header = Header {
            title: None,
            name: Some(name.to_owned()),
            description: None,
            format: None,
            min: None,
            max: None,
            scale: None,
            color: Some(color),
            hidden: None,
        };
        Self::new(id, header, Value::Count(count))
    }

    /// The column, shown only to those who ask for it.
    pub(crate) fn hidden(mut self) -> Self {
        self.header.hidden = Some(true);
        self
    }

    fn new(id: &str, header: Header, value: Value) -> Self {
        Self {
            id: id.to_owned(),
            header,
            value,
        }
    }
}

impl Header {
    fn of_table(
        title: &str,
        description: &str,
        format: &'static str,
        max: Option<u32>,
        scale: &'static str,
    ) -> Self {
        Self {
            title: Some(title.to_owned()),
            name: None,
            description: Some(description.to_owned()),
            format: Some(format),
            min: Some(0),
            max,
            scale: Some(scale),
            color: None,
            hidden: None,
        }
    }
}

impl Section {
    /// The file of the section, about one sample.
    ///
    /// # Errors
    /// None that a section can give: its keys are strings.
    pub(crate) fn to_json(&self, sample: &str) -> Result<Vec<u8>, serde_json::Error> {
        let mut json = Vec::new();
        let mut serializer = serde_json::Serializer::pretty(&mut json);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", self.id)?;
        map.serialize_entry("section_name", self.name)?;
        map.serialize_entry("description", self.description)?;
        let (plot, headers) = match self.show {
            Show::Table => ("table", "headers"),
            Show::Bars => ("bargraph", "categories"),
        };
        map.serialize_entry("plot_type", plot)?;
        map.serialize_entry("pconfig", &Plot(self))?;
        map.serialize_entry(headers, &Headers(&self.columns))?;
        let samples = BTreeMap::from([(sample, Values(&self.columns))]);
        map.serialize_entry("data", &samples)?;
        map.end()?;
        json.push(b'\n');
        Ok(json)
    }
}

/// The settings of a section's plot.
struct Plot<'a>(&'a Section);

impl Serialize for Plot<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let section = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &format!("{}_plot", section.id))?;
        map.serialize_entry("title", section.name)?;
        match section.show {
            Show::Table => map.serialize_entry("namespace", "cnnfilter")?,
            Show::Bars => map.serialize_entry("ylab", "Records")?,
        }
        map.end()
    }
}

/// The headings of columns, in their order.
struct Headers<'a>(&'a [Column]);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|column| (&column.id, &column.header)))
    }
}

/// The values of columns, in their order.
struct Values<'a>(&'a [Column]);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|column| (&column.id, column.value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_what_multiqc_reads() {
        let section = Section {
            id: "x",
            name: "X",
            description: "All of it.",
            show: Show::Table,
            columns: vec![
                Column::count("b", "B", "All b", 3),
                Column::share("a", "A", "Share of a", Some(0.25)),
                Column::figure("c", "C", "Some c", None).hidden(),
            ],
        };
        let text = String::from_utf8(section.to_json("NA1").unwrap()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let row = serde_json::json!({"b": 3, "a": 25.0, "c": null});
        assert_eq!(
            (&json["plot_type"], &json["data"]["NA1"]),
            (&"table".into(), &row)
        );
        assert_eq!(json["headers"]["a"]["max"], 100);
        assert_eq!(json["headers"]["c"]["hidden"], true);
        // MultiQC shows columns in the order of the file.
        assert!(text.find("\"b\"").unwrap() < text.find("\"a\"").unwrap());
    }
}
