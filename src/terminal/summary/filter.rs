//! The end of a filtering run.

use super::Summary;
use cnnfilter_core::filter::FilterSummary;

impl Summary for FilterSummary {
    const COMMAND: &'static str = "filter";

    fn to_text(&self) -> String {
        self.to_text()
    }
}
