//! Sizes that are refused, and promises of the types.

use super::*;

#[test]
fn wrong_sizes_are_refused() {
    let shape = ConvShape {
        cin: 2,
        cout: 3,
        kh: 4,
        kw: 5,
    };
    let (weight, bias) = (noise(120, 1), noise(3, 2));
    let refused = |result: Result<Conv, KernelError>| result.map(|_| ()).unwrap_err();
    assert_eq!(
        refused(Conv::new(shape, &weight[1..], &bias, true)),
        KernelError::Length {
            what: "weight",
            expected: 120,
            found: 119
        }
    );
    assert_eq!(
        refused(Conv::new(shape, &weight, &[0.0; 4], true)),
        KernelError::Length {
            what: "bias",
            expected: 3,
            found: 4
        }
    );
    let none = ConvShape { cin: 0, ..shape };
    assert_eq!(
        refused(Conv::new(none, &[], &bias, true)),
        KernelError::Zero { what: "cin" }
    );
    let huge = ConvShape {
        cin: usize::MAX,
        ..shape
    };
    assert_eq!(
        refused(Conv::new(huge, &weight, &bias, true)),
        KernelError::TooLarge { what: "weight" }
    );

    let conv = Conv::new(shape, &weight, &bias, true).unwrap();
    let data = noise(4 * 5 * 2, 3);
    let good = Rows {
        data: &data,
        stored: 4,
        logical: 6,
        width: 5,
    };
    let mut y = vec![7.0];
    let mut refused = |x: Rows<'_>| conv.forward(x, &mut y).unwrap_err();
    assert_eq!(
        refused(Rows {
            data: &data[1..],
            ..good
        }),
        KernelError::Length {
            what: "input",
            expected: 40,
            found: 39
        }
    );
    assert_eq!(
        refused(Rows { stored: 0, ..good }),
        KernelError::Zero { what: "stored" }
    );
    assert_eq!(
        refused(Rows { width: 0, ..good }),
        KernelError::Zero { what: "width" }
    );
    assert_eq!(
        refused(Rows { logical: 3, ..good }),
        KernelError::Stored {
            stored: 4,
            logical: 3
        }
    );
    assert_eq!(
        refused(Rows {
            stored: 2,
            logical: 3,
            width: 10,
            ..good
        }),
        KernelError::Window {
            axis: "rows",
            input: 3,
            window: 4
        }
    );
    assert_eq!(
        refused(Rows {
            stored: 5,
            width: 4,
            ..good
        }),
        KernelError::Window {
            axis: "positions",
            input: 4,
            window: 5
        }
    );
    assert_eq!(y, [7.0], "a refused input must leave the output alone");
    assert_eq!(conv.forward(good, &mut y).unwrap().stored, 3);

    assert_eq!(
        max_pool_rows(good, 2, 0, &mut y).unwrap_err(),
        KernelError::Zero { what: "k" }
    );
    assert_eq!(
        max_pool_rows(good, 2, 7, &mut y).unwrap_err(),
        KernelError::Window {
            axis: "rows",
            input: 6,
            window: 7
        }
    );
    assert!(max_pool_rows(good, 3, 2, &mut y).is_err());
    assert!(good.expand(1, &mut y).is_err());

    assert!(Dense::new(3, 2, &[0.0; 5], &[0.0; 2], false).is_err());
    assert!(Dense::new(3, 2, &[0.0; 6], &[0.0; 3], false).is_err());
    assert!(Dense::new(0, 2, &[], &[0.0; 2], false).is_err());
    let dense = Dense::new(3, 2, &[0.0; 6], &[0.0; 2], false).unwrap();
    assert_eq!(
        dense.forward(&[0.0; 4], &mut y).unwrap_err(),
        KernelError::Length {
            what: "input",
            expected: 3,
            found: 4
        }
    );
}

#[test]
fn instruction_sets_this_machine_lacks_are_refused() {
    let shape = ConvShape {
        cin: 1,
        cout: 1,
        kh: 1,
        kw: 1,
    };
    let conv = Conv::new(shape, &[1.0], &[0.0], false).unwrap();
    let mut lacking = 0;
    for isa in Isa::ALL.into_iter().filter(|isa| !isa.is_available()) {
        lacking += 1;
        assert_eq!(
            conv.forward_with(isa, all_rows(&[1.0], 1, 1), &mut Vec::new()),
            Err(KernelError::Unavailable { isa })
        );
    }
    // No machine has the vectors of both x86 and ARM.
    assert!(lacking > 0);
    assert!(Isa::detect().is_available());
}

#[test]
fn layers_can_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Conv>();
    shared::<Dense>();
}

#[test]
fn the_set_asked_for_computes_in_this_thread_until_the_work_is_done() {
    let usual = Isa::detect();
    Isa::Portable.computing_with(|| {
        assert_eq!(Isa::detect(), Isa::Portable);
        usual.computing_with(|| assert_eq!(Isa::detect(), usual));
        assert_eq!(Isa::detect(), Isa::Portable);
    });
    assert_eq!(Isa::detect(), usual);
    // No machine has both.
    for absent in [Isa::Neon, Isa::Avx512]
        .into_iter()
        .filter(|isa| !isa.is_available())
    {
        absent.computing_with(|| assert_eq!(Isa::detect(), usual));
    }
}
