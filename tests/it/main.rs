//! Drives the real program. One binary, since every test binary links the networks.

mod architecture;
mod errors;
mod formats;
mod import;
mod real_data;
mod same_bytes;
mod score;
mod support;
