//! The numbers of the examples as a table, for tools that learn from tables.

use std::borrow::Cow;

use anyhow::Result;
use csv::{QuoteStyle, Writer, WriterBuilder};

use super::TensorsPlan;
use cnnfilter_core::encode::allele::AlleleLayout;
use cnnfilter_core::encode::store::LabelledExample;
use cnnfilter_core::encode::{Encoder, SiteTensor};
use cnnfilter_core::genome::VariantKind;

/// Columns in front of annotations and features.
const COLUMNS: [&str; 9] = [
    "set",
    "contig",
    "pos",
    "ref",
    "alt",
    "label",
    "genotype_right",
    "copies",
    "type",
];

/// A table in memory, one row an example.
pub(super) struct Table {
    rows: Writer<Vec<u8>>,
    set: String,
}

impl Table {
    /// Starts the table that the plan asks for, with its header.
    pub(super) fn open(plan: &TensorsPlan, encoder: &Encoder) -> Result<Option<Self>> {
        if plan.table.is_none() {
            return Ok(None);
        }
        let mut rows = WriterBuilder::new()
            .delimiter(b'\t')
            .quote_style(QuoteStyle::Never)
            .from_writer(Vec::new());
        let annotations = encoder.annotation_names();
        let layout = AlleleLayout::usual(encoder.uses_reads());
        let columns = COLUMNS.into_iter().map(String::from);
        let features = layout.site_names().map(String::from);
        rows.write_record(columns.chain(annotations).chain(features))?;
        Ok(Some(Self {
            rows,
            set: plan.set.clone(),
        }))
    }

    /// Adds an example; a missing value is an empty field.
    pub(super) fn add(&mut self, example: &LabelledExample) -> Result<()> {
        let SiteTensor::Allele(tensor) = &example.example.tensor else {
            return Ok(());
        };
        let kind = if example.is_indel {
            VariantKind::Indel
        } else {
            VariantKind::Snp
        };
        let flag = |value: bool| if value { "1" } else { "0" };
        let position = (example.start + 1).to_string();
        let call: [Cow<'_, str>; 9] = [
            self.set.as_str().into(),
            example.contig.as_str().into(),
            position.into(),
            String::from_utf8_lossy(&example.reference),
            String::from_utf8_lossy(&example.alternate),
            flag(example.is_real).into(),
            flag(example.is_genotype_right).into(),
            example
                .copies
                .map_or(String::new(), |copies| copies.to_string())
                .into(),
            kind.name().into(),
        ];
        for field in &call {
            self.rows.write_field(field.as_ref())?;
        }
        for value in example.example.annotations.iter().chain(&tensor.site) {
            if value.is_nan() {
                self.rows.write_field("")?;
            } else {
                self.rows.write_field(value.to_string())?;
            }
        }
        Ok(self.rows.write_record(None::<&[u8]>)?)
    }

    /// The whole table as text.
    pub(super) fn finish(self) -> Result<Vec<u8>> {
        Ok(self
            .rows
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)?)
    }
}
