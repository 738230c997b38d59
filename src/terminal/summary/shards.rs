//! The end of `shards`.

use serde::Serialize;

use super::Summary;

/// A genome that was cut.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ShardsSummary {
    /// Shards.
    pub(crate) shards: usize,
    /// Stretches of contigs in them.
    pub(crate) regions: usize,
    /// Positions of the reference, each in one shard.
    pub(crate) positions: u64,
    /// Work of the largest shard by the indexes, in equal shares; nothing where there are no calls.
    pub(crate) largest: Option<f64>,
}

impl Summary for ShardsSummary {
    const COMMAND: &'static str = "shards";

    fn to_text(&self) -> String {
        let largest = match self.largest {
            Some(largest) => format!("the largest has {largest:.2} times the mean work"),
            None => "there are no calls, so bases were shared out".to_owned(),
        };
        format!(
            "{} shards of {} positions in {} regions; {largest}\n",
            self.shards, self.positions, self.regions
        )
    }
}
