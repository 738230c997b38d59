//! Convolutions in 8 bits (AVX-512 VNNI) beside the f32 kernel, layer by layer of the two networks
//! that read reads, at 40 reads, on one thread.
//!
//! Prints a table of nanoseconds: quickest, middle and slowest of interleaved rounds. The 8-bit
//! kernel is first checked against plain loops. Says so and ends where the processor lacks the
//! instructions.

#![expect(
    clippy::print_stdout,
    reason = "prints its own table: the two kernels have to take turns, which criterion does not do"
)]

#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "vector instructions, behind a check of the processor; each use has its proof"
)]
mod kernel;
#[cfg(target_arch = "x86_64")]
mod layers;
#[cfg(target_arch = "x86_64")]
#[path = "../support/noise.rs"]
mod noise;

fn main() {
    #[cfg(target_arch = "x86_64")]
    if kernel::is_available() {
        layers::check();
        layers::check_pool();
        layers::compare();
        return;
    }
    println!("convolutions in 8 bits: skipped, this processor has no AVX-512 VNNI");
}
