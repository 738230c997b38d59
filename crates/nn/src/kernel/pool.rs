//! Plain loops over rows, compiled for each instruction set. Every element is computed by itself and
//! no product is fused, so that all instruction sets agree to the bit.

use super::error::{KernelError, exact};
use super::isa::Isa;

/// `values[i] = max(values[i] + more[i] + bias[i % bias.len()], 0)`.
///
/// # Errors
/// [`KernelError::Length`] where `more` is not as long as `values`, or their length is no multiple
/// of the bias's.
pub fn add_and_rectify(values: &mut [f32], more: &[f32], bias: &[f32]) -> Result<(), KernelError> {
    exact("summand", &[values.len()], more.len())?;
    let periods = values.len() / bias.len().max(1);
    exact("values", &[periods, bias.len()], values.len())?;
    let kernels = Isa::detect().kernels()?;
    // SAFETY: `Isa::kernels` gave these kernels after it found that the processor has their
    // instruction set.
    unsafe { (kernels.add_and_rectify)(values, more, bias) };
    Ok(())
}

/// `max[i] = max(max[i], row[i])` and `sum[i] += row[i]`.
///
/// # Errors
/// [`KernelError::Length`] where the three are not equally long.
pub fn max_and_sum(row: &[f32], max: &mut [f32], sum: &mut [f32]) -> Result<(), KernelError> {
    exact("maximum", &[row.len()], max.len())?;
    exact("sum", &[row.len()], sum.len())?;
    let kernels = Isa::detect().kernels()?;
    // SAFETY: as above.
    unsafe { (kernels.max_and_sum)(row, max, sum) };
    Ok(())
}

/// The loop of [`add_and_rectify`].
#[inline(always)]
pub(super) fn add_and_rectify_loop(values: &mut [f32], more: &[f32], bias: &[f32]) {
    let periods = values.chunks_exact_mut(bias.len().max(1));
    for (values, more) in periods.zip(more.chunks_exact(bias.len().max(1))) {
        for ((value, more), bias) in values.iter_mut().zip(more).zip(bias) {
            let sum = *value + (more + bias);
            *value = if sum > 0.0 { sum } else { 0.0 };
        }
    }
}

/// The loop of [`max_and_sum`].
#[inline(always)]
pub(super) fn max_and_sum_loop(row: &[f32], max: &mut [f32], sum: &mut [f32]) {
    for ((value, max), sum) in row.iter().zip(max).zip(sum) {
        *max = if *value > *max { *value } else { *max };
        *sum += value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_loops_of_all_instruction_sets_agree(
            row in prop::collection::vec(-3.0f32..3.0, 48..=48),
            more in prop::collection::vec(-3.0f32..3.0, 48..=48),
            period in prop::sample::select(vec![1usize, 3, 16, 24, 48]),
        ) {
            let bias = &more[..period];
            let expected: Vec<f32> = (0..48)
                .map(|at| (row[at] + (more[at] + bias[at % period])).max(0.0))
                .collect();
            for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
                let kernels = isa.kernels().unwrap();
                let mut values = row.clone();
                let (mut max, mut sum) = (more.clone(), more.clone());
                // SAFETY: the instruction set is available.
                unsafe {
                    (kernels.add_and_rectify)(&mut values, &more, bias);
                    (kernels.max_and_sum)(&row, &mut max, &mut sum);
                }
                prop_assert_eq!(&values, &expected);
                for at in 0..48 {
                    prop_assert_eq!(max[at], row[at].max(more[at]));
                    prop_assert_eq!(sum[at], more[at] + row[at]);
                }
            }
        }
    }

    #[test]
    fn lengths_are_checked() {
        assert!(add_and_rectify(&mut [0.0; 4], &[0.0; 3], &[0.0; 2]).is_err());
        assert!(add_and_rectify(&mut [0.0; 4], &[0.0; 4], &[0.0; 3]).is_err());
        assert!(add_and_rectify(&mut [0.0; 4], &[0.0; 4], &[]).is_err());
        assert!(max_and_sum(&[0.0; 4], &mut [0.0; 3], &mut [0.0; 4]).is_err());
    }
}
