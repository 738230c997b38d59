//! A site's row repeated for each of its rows.

use super::super::expand;
use super::*;

#[test]
fn rows_are_repeated_and_their_gradients_summed() {
    let offsets = [0, 2, 2, 5, 6];
    let x = var(&noise(12, 1), &[4, 3]);
    let y = expand(&x, &offsets).unwrap();
    assert_eq!(y.dims(), [6, 3]);
    check("expand", &y, &[&x], |at| {
        [0, 0, 2, 2, 2, 3]
            .iter()
            .flat_map(|site| at[0][site * 3..][..3].to_vec())
            .collect()
    });
    for bad in [&[0, 2, 5, 6][..], &[1, 2, 2, 5, 6], &[0, 3, 2, 5, 6], &[]] {
        assert!(expand(&x, bad).is_err(), "{bad:?}");
    }
}
