//! Rows that belong to sites. The rows of all sites of a batch lie one after the other;
//! S + 1 offsets say where those of each begin, the last where the last ones end.

use candle_core::{Device, Result, Tensor, bail};

/// Fails unless `offsets` cuts `rows` rows into sites: it starts with 0, never falls, and ends
/// with `rows`.
///
/// # Errors
/// Offsets that do not.
pub(super) fn check(offsets: &[usize], rows: usize) -> Result<()> {
    let ends = (offsets.first(), offsets.last());
    if ends != (Some(&0), Some(&rows)) || offsets.windows(2).any(|pair| pair[0] > pair[1]) {
        bail!("the offsets {offsets:?} do not cut {rows} rows into sites");
    }
    Ok(())
}

/// The site of each row, `[N]` u32.
///
/// # Errors
/// More sites than a u32 counts, and candle's own.
pub(super) fn sites(offsets: &[usize], device: &Device) -> Result<Tensor> {
    let mut sites = Vec::new();
    for (site, pair) in offsets.windows(2).enumerate() {
        let Ok(site) = u32::try_from(site) else {
            bail!("more than 2^32 sites");
        };
        sites.resize(pair[1], site);
    }
    let rows = sites.len();
    Tensor::from_vec(sites, rows, device)
}

/// Repeats each site's row for each of its rows: `[S, D]` becomes `[N, D]`, N the last of the S + 1
/// `offsets`. The gradient of a site's row is the sum over its rows.
///
/// # Errors
/// Offsets that do not start with 0, or fall, or are not S + 1; and candle's own.
pub fn expand(x: &Tensor, offsets: &[usize]) -> Result<Tensor> {
    let (count, _) = x.dims2()?;
    check(offsets, offsets.last().copied().unwrap_or(0))?;
    if count + 1 != offsets.len() {
        bail!("{} offsets for {count} sites", offsets.len());
    }
    x.index_select(&sites(offsets, x.device())?, 0)
}
