//! Files of examples as one model reads them.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::io::example_file::ExampleFile;
use cnnfilter_core::encode::store::{LabelledExample, StoreHeader};
use cnnfilter_core::networks::Model;

/// Examples of several files, numbered through.
pub(crate) struct ExampleSets {
    files: Vec<ExampleFile>,
    /// Number of the first example of each file, and of all examples at the end.
    first: Vec<usize>,
}

impl ExampleSets {
    /// Opens the files and checks that the model reads what they hold.
    ///
    /// # Errors
    /// A file that cannot be read, or examples of another tensor or with other annotations than the model's.
    pub(crate) fn open(paths: &[PathBuf], model: &Model) -> Result<Self> {
        let mut sets = Self {
            files: Vec::new(),
            first: vec![0],
        };
        for path in paths {
            let file = ExampleFile::open(path)?;
            check(&file, model)?;
            sets.first.push(sets.len() + file.view().len());
            sets.files.push(file);
        }
        Ok(sets)
    }

    /// Examples of all files.
    pub(crate) fn len(&self) -> usize {
        self.first.last().copied().unwrap_or(0)
    }

    /// The headers of the files, in order.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &StoreHeader> {
        self.files.iter().map(ExampleFile::header)
    }

    /// The file of an example, and its number there.
    pub(crate) fn place(&self, index: usize) -> (usize, usize) {
        let file = self.first.partition_point(|first| *first <= index) - 1;
        (file, index - self.first[file])
    }

    /// An example.
    ///
    /// # Errors
    /// A damaged file.
    pub(crate) fn get(&self, index: usize) -> Result<LabelledExample> {
        let (file, at) = self.place(index);
        let found = self.files[file].view().get(at);
        found.with_context(|| self.files[file].path().display().to_string())
    }

    /// True where an example is an INDEL.
    ///
    /// # Errors
    /// A damaged file.
    pub(crate) fn is_indel(&self, index: usize) -> Result<bool> {
        let (class, ..) = self.label(index)?;
        Ok(class % 2 == 1)
    }

    /// The contig of an example.
    ///
    /// # Errors
    /// A damaged file.
    pub(crate) fn contig(&self, index: usize) -> Result<String> {
        let (_, contig, _) = self.label(index)?;
        Ok(contig)
    }

    fn label(&self, index: usize) -> Result<(usize, String, u64)> {
        let (file, at) = self.place(index);
        let label = self.files[file].view().label(at);
        label.with_context(|| self.files[file].path().display().to_string())
    }
}

fn check(file: &ExampleFile, model: &Model) -> Result<()> {
    let (card, header) = (model.card(), file.header());
    let path = file.path().display();
    if header.encoder != card.tensor.encoder {
        bail!(
            "{path}: its examples are for `{}`, but model `{}` reads `{}`; make them with `cnnfilter tensors`, {} -I",
            header.encoder,
            card.name,
            card.tensor.encoder,
            if model.uses_reads() {
                "with"
            } else {
                "without"
            }
        );
    }
    if header.site_features != card.tensor.site_features
        || header.read_features != card.tensor.channels
        || header.annotations != card.annotations
    {
        bail!(
            "{path}: its examples, made by version {}, have other numbers or annotations than model `{}` reads; make them with the options and the version that the model was trained with",
            header.cnnfilter_version,
            card.name
        );
    }
    Ok(())
}
