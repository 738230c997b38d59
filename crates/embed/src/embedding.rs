//! Calls with the activations of layers and with columns that describe them.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::Matrix;
use super::npy::Kind;

/// Generation of the file format.
pub const FORMAT: u32 = 1;

/// A description of a file of embeddings: `meta.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    /// Generation of the format.
    pub format: u32,
    /// Version of the program.
    pub cnnfilter_version: String,
    /// Name of the model.
    pub model: String,
    /// Name of its architecture.
    pub architecture: String,
    /// SHA-256 of its weights.
    pub weights_sha256: String,
    /// Calls.
    pub calls: u64,
    /// Layers, in order.
    pub layers: Vec<LayerMeta>,
    /// Columns, in order.
    pub columns: Vec<ColumnMeta>,
    /// Files that it was made of: role and name.
    pub inputs: Vec<(String, String)>,
    /// Records and ALTs that are not in it, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// Where it is a map: how it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<MapMeta>,
}

/// How a map was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapMeta {
    /// The layers, in order.
    pub layers: Vec<String>,
    /// Components of each layer, and of all joined, with the share of the variance that they keep.
    pub components: Vec<(String, usize, f64)>,
    /// Neighbours of a point of the map.
    pub neighbours: usize,
    /// Seed.
    pub seed: u64,
    /// Silhouettes by number of clusters, where they chose it.
    pub silhouettes: Vec<(usize, f64)>,
    /// Name, rows and columns of each array that new calls are placed by.
    pub arrays: Vec<(String, usize, usize)>,
}

/// A layer of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerMeta {
    /// Its name.
    pub name: String,
    /// Numbers a call.
    pub width: usize,
    /// How the layer's outputs become these numbers.
    pub pools: String,
}

/// A kind of column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// A number; NaN where it is missing.
    Number,
    /// A whole number.
    Integer,
    /// A place in a list of words; -1 where it is missing.
    Category,
}

impl ColumnKind {
    /// The numbers of its array.
    pub fn numbers(self) -> Kind {
        match self {
            Self::Number => Kind::F4,
            Self::Integer => Kind::I8,
            Self::Category => Kind::I4,
        }
    }
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnMeta {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: ColumnKind,
    /// The words of a category, by code, in the order in which they first came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<String>,
}

/// Values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Numbers.
    Numbers(Vec<f32>),
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Words.
    Categories {
        /// Codes of the calls; -1 where the word is missing.
        codes: Vec<i32>,
        /// The words.
        levels: Vec<String>,
    },
}

impl Column {
    /// An empty column.
    pub fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Number => Self::Numbers(Vec::new()),
            ColumnKind::Integer => Self::Integers(Vec::new()),
            ColumnKind::Category => Self::Categories {
                codes: Vec::new(),
                levels: Vec::new(),
            },
        }
    }

    /// A column of words, in the order in which they first come; nothing stands for a missing one.
    pub fn of_words<'a>(words: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut known = Levels::default();
        let codes = words.into_iter().map(|word| known.code(word)).collect();
        Self::Categories {
            codes,
            levels: known.into_words(),
        }
    }

    /// Its kind.
    pub fn kind(&self) -> ColumnKind {
        match self {
            Self::Numbers(_) => ColumnKind::Number,
            Self::Integers(_) => ColumnKind::Integer,
            Self::Categories { .. } => ColumnKind::Category,
        }
    }

    /// Calls.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Integers(values) => values.len(),
            Self::Categories { codes, .. } => codes.len(),
        }
    }

    /// True without calls.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The word of a call; nothing for numbers and for a missing one.
    pub fn word(&self, call: usize) -> Option<&str> {
        let Self::Categories { codes, levels } = self else {
            return None;
        };
        let code = usize::try_from(codes[call]).ok()?;
        levels.get(code).map(String::as_str)
    }

    /// The value as text; empty where it is missing.
    pub fn text(&self, call: usize) -> String {
        match self {
            Self::Numbers(values) if values[call].is_nan() => String::new(),
            Self::Numbers(values) => values[call].to_string(),
            Self::Integers(values) => values[call].to_string(),
            Self::Categories { .. } => self.word(call).unwrap_or_default().to_owned(),
        }
    }

    /// Some calls, in the order of `which`.
    #[must_use]
    pub fn select(&self, which: &[usize]) -> Self {
        match self {
            Self::Numbers(values) => Self::Numbers(which.iter().map(|at| values[*at]).collect()),
            Self::Integers(values) => Self::Integers(which.iter().map(|at| values[*at]).collect()),
            Self::Categories { codes, levels } => Self::Categories {
                codes: which.iter().map(|at| codes[*at]).collect(),
                levels: levels.clone(),
            },
        }
    }
}

/// Words that get codes in the order in which they first come.
#[derive(Debug, Clone, Default)]
pub struct Levels {
    words: Vec<String>,
    codes: HashMap<String, i32>,
}

impl Levels {
    /// The code of a word; -1 for a missing one.
    pub fn code(&mut self, word: Option<&str>) -> i32 {
        let Some(word) = word else {
            return -1;
        };
        if let Some(code) = self.codes.get(word) {
            return *code;
        }
        let code = self.words.len() as i32;
        self.codes.insert(word.to_owned(), code);
        self.words.push(word.to_owned());
        code
    }

    /// The words, by code.
    pub fn into_words(self) -> Vec<String> {
        self.words
    }
}

/// Calls in memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embedding {
    /// What they are.
    pub meta: Meta,
    /// Activations, by [`Meta::layers`].
    pub layers: Vec<Matrix>,
    /// Descriptions, by [`Meta::columns`].
    pub columns: Vec<Column>,
    /// Of a map: the arrays of [`MapMeta::arrays`].
    pub arrays: Vec<(String, Matrix)>,
}

impl Embedding {
    /// Calls.
    pub fn len(&self) -> usize {
        self.meta.calls as usize
    }

    /// True without calls.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A column by name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        let at = (self.meta.columns.iter()).position(|column| column.name == name)?;
        self.columns.get(at)
    }

    /// A layer by name.
    pub fn layer(&self, name: &str) -> Option<&Matrix> {
        let at = (self.meta.layers.iter()).position(|layer| layer.name == name)?;
        self.layers.get(at)
    }

    /// Adds a column; one of that name is replaced.
    pub fn put(&mut self, name: &str, column: Column) {
        let levels = match &column {
            Column::Categories { levels, .. } => levels.clone(),
            Column::Numbers(_) | Column::Integers(_) => Vec::new(),
        };
        let meta = ColumnMeta {
            name: name.to_owned(),
            kind: column.kind(),
            levels,
        };
        let known = &mut self.meta.columns;
        match known.iter().position(|column| column.name == name) {
            Some(at) => {
                known[at] = meta;
                self.columns[at] = column;
            }
            None => {
                known.push(meta);
                self.columns.push(column);
            }
        }
    }

    /// `contig:position:REF>ALT` of a call, with its sample where there are several.
    pub fn name(&self, call: usize) -> String {
        let text = |name: &str| {
            let column = self.column(name);
            column.map(|column| column.text(call)).unwrap_or_default()
        };
        let mut name = format!(
            "{}:{}:{}>{}",
            text("contig"),
            text("pos"),
            text("ref"),
            text("alt")
        );
        if let Some(Column::Categories { levels, .. }) = self.column("sample")
            && levels.len() > 1
        {
            name += &format!("@{}", text("sample"));
        }
        name
    }
}
