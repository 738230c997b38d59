//! Eigenvalues and eigenvectors of a symmetric matrix: Householder's reduction to tridiagonal form and implicit QL
//! steps, after the routines tred2 and tql2 of EISPACK (Bowdler, Martin, Reinsch and Wilkinson, 1968).

/// Steps for one eigenvalue before it is taken as it is; a few are enough.
const MOST_STEPS: usize = 60;

/// Eigenvalues, largest first, and the eigenvector of each, `[eigenvalue][row]`, its entry of largest size above 0.
/// `matrix` is `[row][column]`, symmetric.
pub(crate) fn symmetric(matrix: &[f64], size: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut vectors: Vec<Vec<f64>> = matrix
        .chunks_exact(size.max(1))
        .map(<[f64]>::to_vec)
        .collect();
    let (mut diagonal, mut beside) = tridiagonal(&mut vectors);
    // Rows of the transposed matrix are contiguous for the rotations.
    let mut columns = transposed(&vectors);
    ql(&mut columns, &mut diagonal, &mut beside);
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|a, b| diagonal[*b].total_cmp(&diagonal[*a]).then(a.cmp(b)));
    let values = order.iter().map(|at| diagonal[*at]).collect();
    let vectors = order.iter().map(|at| upright(&columns[*at]));
    (values, vectors.collect())
}

/// The vector or its negative: the entry of largest size is above 0.
fn upright(vector: &[f64]) -> Vec<f64> {
    let mut largest = 0.0f64;
    for entry in vector {
        if entry.abs() > largest.abs() * (1.0 + 1e-9) {
            largest = *entry;
        }
    }
    let sign = if largest < 0.0 { -1.0 } else { 1.0 };
    vector.iter().map(|entry| sign * entry).collect()
}

fn transposed(matrix: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let size = matrix.len();
    (0..size)
        .map(|column| matrix.iter().map(|row| row[column]).collect())
        .collect()
}

/// Reduces a matrix to tridiagonal form; it becomes the product of the transformations. Returns the diagonal and
/// what stands beside it.
fn tridiagonal(v: &mut [Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let n = v.len();
    let mut e = vec![0.0; n];
    let Some(last) = v.last() else {
        return (Vec::new(), e);
    };
    let mut d = last.clone();
    for i in (1..n).rev() {
        let scale: f64 = d[..i].iter().map(|x| x.abs()).sum();
        let mut h = 0.0;
        if scale == 0.0 {
            e[i] = d[i - 1];
            for j in 0..i {
                d[j] = v[i - 1][j];
                v[i][j] = 0.0;
                v[j][i] = 0.0;
            }
        } else {
            for x in &mut d[..i] {
                *x /= scale;
                h += *x * *x;
            }
            let f = d[i - 1];
            let g = if f > 0.0 { -h.sqrt() } else { h.sqrt() };
            e[i] = scale * g;
            h -= f * g;
            d[i - 1] = f - g;
            e[..i].fill(0.0);
            for j in 0..i {
                let f = d[j];
                v[j][i] = f;
                let mut g = e[j] + v[j][j] * f;
                for k in j + 1..i {
                    g += v[k][j] * d[k];
                    e[k] += v[k][j] * f;
                }
                e[j] = g;
            }
            let mut f = 0.0;
            for j in 0..i {
                e[j] /= h;
                f += e[j] * d[j];
            }
            let hh = f / (h + h);
            for j in 0..i {
                e[j] -= hh * d[j];
            }
            for j in 0..i {
                let (f, g) = (d[j], e[j]);
                for k in j..i {
                    v[k][j] -= f * e[k] + g * d[k];
                }
                d[j] = v[i - 1][j];
                v[i][j] = 0.0;
            }
        }
        d[i] = h;
    }
    accumulate(v, &mut d);
    e[0] = 0.0;
    (d, e)
}

/// Multiplies the transformations; `d` becomes the diagonal.
fn accumulate(v: &mut [Vec<f64>], d: &mut [f64]) {
    let n = v.len();
    for i in 0..n - 1 {
        v[n - 1][i] = v[i][i];
        v[i][i] = 1.0;
        let h = d[i + 1];
        if h != 0.0 {
            for k in 0..=i {
                d[k] = v[k][i + 1] / h;
            }
            for j in 0..=i {
                let g: f64 = (0..=i).map(|k| v[k][i + 1] * v[k][j]).sum();
                for k in 0..=i {
                    v[k][j] -= g * d[k];
                }
            }
        }
        for row in v.iter_mut().take(i + 1) {
            row[i + 1] = 0.0;
        }
    }
    for j in 0..n {
        d[j] = v[n - 1][j];
        v[n - 1][j] = 0.0;
    }
    v[n - 1][n - 1] = 1.0;
}

/// QL steps until what stands beside the diagonal is gone; `columns` are turned along.
fn ql(columns: &mut [Vec<f64>], d: &mut [f64], e: &mut [f64]) {
    let n = d.len();
    e.rotate_left(1.min(n));
    if let Some(last) = e.last_mut() {
        *last = 0.0;
    }
    let (mut shift, mut largest) = (0.0f64, 0.0f64);
    for l in 0..n {
        largest = largest.max(d[l].abs() + e[l].abs());
        let small = |x: f64| x.abs() <= f64::EPSILON * largest;
        let Some(m) = (l..n).find(|m| small(e[*m])) else {
            continue;
        };
        if m > l {
            for _ in 0..MOST_STEPS {
                shift += step(columns, d, e, (l, m));
                if small(e[l]) {
                    break;
                }
            }
        }
        d[l] += shift;
        e[l] = 0.0;
    }
}

/// One QL step on rows `l..=m`; returns the shift.
fn step(columns: &mut [Vec<f64>], d: &mut [f64], e: &mut [f64], (l, m): (usize, usize)) -> f64 {
    let g = d[l];
    let p = (d[l + 1] - g) / (2.0 * e[l]);
    let r = if p < 0.0 { -p.hypot(1.0) } else { p.hypot(1.0) };
    d[l] = e[l] / (p + r);
    d[l + 1] = e[l] * (p + r);
    let dl1 = d[l + 1];
    let h = g - d[l];
    d[l + 2..].iter_mut().for_each(|x| *x -= h);
    let mut p = d[m];
    let (mut c, mut c2, mut c3) = (1.0, 1.0, 1.0);
    let el1 = e[l + 1];
    let (mut s, mut s2) = (0.0, 0.0);
    for i in (l..m).rev() {
        c3 = c2;
        c2 = c;
        s2 = s;
        let g = c * e[i];
        let h = c * p;
        let r = p.hypot(e[i]);
        e[i + 1] = s * r;
        s = e[i] / r;
        c = p / r;
        p = c * d[i] - s * g;
        d[i + 1] = h + s * (c * g + s * d[i]);
        let (before, behind) = columns.split_at_mut(i + 1);
        for (x, y) in before[i].iter_mut().zip(&mut behind[0]) {
            let h = *y;
            *y = s * *x + c * h;
            *x = c * *x - s * h;
        }
    }
    p = -s * s2 * c3 * el1 * e[l] / dl1;
    e[l] = s * p;
    d[l] = c * p;
    h
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random.
    fn symmetric_matrix(size: usize) -> Vec<f64> {
        let mut matrix = vec![0.0; size * size];
        for i in 0..size {
            for j in 0..=i {
                let value = (((i * 7919 + j * 104_729) % 1009) as f64 / 1009.0 - 0.5) * 3.0;
                matrix[i * size + j] = value;
                matrix[j * size + i] = value;
            }
        }
        matrix
    }

    #[test]
    fn the_matrix_comes_back_from_its_eigenvectors() {
        for size in [1, 2, 3, 17, 60] {
            let matrix = symmetric_matrix(size);
            let (values, vectors) = symmetric(&matrix, size);
            assert!(values.windows(2).all(|pair| pair[0] >= pair[1]));
            for i in 0..size {
                for j in 0..size {
                    let found: f64 = (0..size)
                        .map(|at| values[at] * vectors[at][i] * vectors[at][j])
                        .sum();
                    assert!((found - matrix[i * size + j]).abs() < 1e-10, "{size}");
                }
                let length: f64 = vectors[i].iter().map(|x| x * x).sum();
                assert!((length - 1.0).abs() < 1e-10);
            }
        }
    }

    #[test]
    fn equal_eigenvalues_and_zeros_do_no_harm() {
        let mut identity = vec![0.0; 25];
        (0..5).for_each(|at| identity[at * 6] = 2.0);
        let (values, vectors) = symmetric(&identity, 5);
        assert_eq!(values, [2.0; 5]);
        assert!(vectors.iter().flatten().all(|x| x.is_finite()));
        let (values, _) = symmetric(&[0.0; 16], 4);
        assert_eq!(values, [0.0; 4]);
        assert_eq!(symmetric(&[], 0).0, Vec::<f64>::new());
    }
}
