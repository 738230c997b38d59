//! What the page's script asks for: a line of JSON in, a line of JSON and bytes out.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::candidates::{FindPlan, Finder};
use crate::journal;
use crate::sandbox::Edits;
use crate::session::{Lines, Plan, Session};

/// A request.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum Request {
    /// The viewer's part of the page, for `web/assemble.mjs`.
    Markup,
    /// [`Finder::open`].
    Find(FindPlan),
    /// [`Finder::sweep`].
    Sweep {
        /// Number of the tile, from 0.
        tile: usize,
    },
    /// [`Session::open`].
    Open(Plan),
    /// [`Session::read`].
    Read {
        /// Most records.
        most: usize,
    },
    /// [`Session::score`].
    Score {
        /// The records.
        lines: Lines,
        /// With the program's own digits.
        exact: bool,
    },
    /// [`Session::show`].
    Show {
        /// The record.
        line: Lines,
        /// Index of its example.
        example: usize,
        /// Single reads and cells are explained, too.
        detail: bool,
    },
    /// [`Session::edit`].
    Edit {
        /// The record.
        line: Lines,
        /// Index of its example.
        example: usize,
        /// Changes to its reads.
        edits: Edits,
    },
    /// [`Session::layers`].
    Layers {
        /// The record.
        line: Lines,
        /// Index of its example.
        example: usize,
        /// Changes to its reads.
        edits: Edits,
    },
}

/// A request, and the weights that it is answered with.
#[derive(Debug, Deserialize)]
struct Asked {
    /// Weights of 8 bits ([`Session::weigh`]).
    #[serde(default)]
    small: bool,
    #[serde(flatten)]
    request: Request,
}

/// The answer to a request.
#[derive(Debug, Default)]
pub struct Answer {
    /// `result` or `error`, and `warnings`.
    pub json: String,
    /// Lines of scored records, or the tensor of a call.
    pub bytes: Vec<u8>,
}

/// A worker's state: what was opened last.
#[derive(Default)]
pub struct Worker {
    session: Option<Session>,
    finder: Option<Finder>,
}

impl Worker {
    /// Answers a request.
    pub fn answer(&mut self, request: &[u8]) -> Answer {
        journal::keep();
        let made = serde_json::from_slice(request)
            .map_err(anyhow::Error::from)
            .and_then(|request| self.act(request));
        let (mut json, bytes) = match made {
            Ok((result, bytes)) => (json!({ "result": result }), bytes),
            Err(error) => (json!({ "error": format!("{error:#}") }), Vec::new()),
        };
        json["warnings"] = json!(journal::take());
        Answer {
            json: json.to_string(),
            bytes,
        }
    }

    fn act(&mut self, Asked { small, request }: Asked) -> anyhow::Result<(Value, Vec<u8>)> {
        if let Request::Markup = request {
            let (main, keys) = cnnfilter_view::page::markup();
            return Ok((json!({ "main": main, "keys": keys }), Vec::new()));
        }
        let nothing = || anyhow::anyhow!("no files are open");
        if let Request::Find(plan) = request {
            let (finder, findable) = Finder::open(&plan)?;
            self.finder = Some(finder);
            return Ok((value(&findable)?, findable.header));
        }
        if let Request::Sweep { tile } = request {
            let finder = self.finder.as_mut().ok_or_else(nothing)?;
            return Ok((Value::Null, finder.sweep(tile)?));
        }
        if let Request::Open(plan) = request {
            (self.session, self.finder) = (None, None);
            let (session, opened) = Session::open(plan)?;
            self.session = Some(session);
            return Ok((value(&opened)?, opened.header));
        }
        let session = self.session.as_mut().ok_or_else(nothing)?;
        session.weigh(small)?;
        match request {
            Request::Markup | Request::Open(_) | Request::Find(_) | Request::Sweep { .. } => {
                Ok((Value::Null, Vec::new()))
            }
            Request::Read { most } => Ok((value(&session.read(most)?)?, Vec::new())),
            Request::Score { lines, exact } => {
                let (bytes, scored) = session.score(&lines, exact)?;
                Ok((value(&scored)?, bytes))
            }
            Request::Show {
                line,
                example,
                detail,
            } => {
                let (bytes, shown) = session.show(&line, example, detail)?;
                Ok((value(&shown)?, bytes))
            }
            Request::Edit {
                line,
                example,
                edits,
            } => {
                let (bytes, shown) = session.edit(&line, example, &edits)?;
                Ok((value(&shown)?, bytes))
            }
            Request::Layers {
                line,
                example,
                edits,
            } => {
                let (bytes, shown) = session.layers(&line, example, &edits)?;
                Ok((value(&shown)?, bytes))
            }
        }
    }
}

fn value(result: &impl Serialize) -> anyhow::Result<Value> {
    Ok(serde_json::to_value(result)?)
}
