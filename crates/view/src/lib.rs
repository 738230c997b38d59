//! Pages and pictures of what a network saw of calls, and why they got their scores.
//!
//! * [`choose`]: which calls of a file are shown.
//! * [`layout`]: the symbols, channels and numbers of an encoder, with their tables of values.
//! * [`site`]: one call's tensor, as the bytes that the page unpacks.
//! * [`page`]: one self-contained page of many calls.
//! * [`map_page`]: calls as points on maps, with columns and clusters.
//! * [`planes`]: the channels as a network gets them.
//! * [`terminal`]: one call as lines of text.
//! * [`picture`]: all channels of one call as PNG, SVG or GIF.
//!
//! Pure functions on values: nothing here opens a file.

mod base64;
pub mod call;
pub mod choose;
pub mod layout;
pub mod map_page;
pub mod page;
pub mod picture;
pub mod planes;
pub mod site;
pub mod terminal;

pub use call::{Call, ScoredWith};
pub use choose::{Choice, Chooser, Facts};
pub use layout::Layout;
pub use map_page::MapPage;
pub use page::{Page, PageError, fragment};
pub use terminal::Terminal;
