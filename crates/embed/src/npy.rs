//! The header of NumPy's `.npy` format, version 1.0: little-endian arrays in C order.

/// A kind of number in an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 32-bit float.
    F4,
    /// 32-bit signed integer.
    I4,
    /// 64-bit signed integer.
    I8,
}

impl Kind {
    const ALL: [Self; 3] = [Self::F4, Self::I4, Self::I8];

    /// NumPy's name.
    fn descr(self) -> &'static str {
        match self {
            Self::F4 => "<f4",
            Self::I4 => "<i4",
            Self::I8 => "<i8",
        }
    }

    /// Bytes of a number.
    pub fn size(self) -> usize {
        match self {
            Self::F4 | Self::I4 => 4,
            Self::I8 => 8,
        }
    }
}

/// Bytes that are no array as written here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is no NumPy array of <f4, <i4 or <i8 in C order with one or two axes (version 1.0): {0}"
)]
pub struct NpyError(String);

/// The bytes before the numbers of an array with this shape of one or two axes.
pub fn header(kind: Kind, shape: &[usize]) -> Vec<u8> {
    let axes: Vec<String> = shape.iter().map(|axis| format!("{axis},")).collect();
    let axes = axes.join(" ");
    let axes = if shape.len() > 1 {
        axes.trim_end_matches(',')
    } else {
        &axes
    };
    let mut text = format!(
        "{{'descr': '{}', 'fortran_order': False, 'shape': ({axes}), }}",
        kind.descr()
    );
    // The numbers begin at a multiple of 64 bytes.
    let unpadded = 10 + text.len() + 1;
    text.extend(std::iter::repeat_n(
        ' ',
        unpadded.div_ceil(64) * 64 - unpadded,
    ));
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.into_bytes());
    bytes
}

/// Kind and shape of an array, and where its numbers begin.
///
/// # Errors
/// Another format.
pub fn parse(bytes: &[u8]) -> Result<(Kind, Vec<usize>, usize), NpyError> {
    let fail = |why: &str| NpyError(why.to_owned());
    if !bytes.starts_with(b"\x93NUMPY\x01\x00") || bytes.len() < 10 {
        return Err(fail("another magic word"));
    }
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let text = bytes.get(10..10 + length);
    let text = text.ok_or_else(|| fail("the header is cut off"))?;
    let text = std::str::from_utf8(text).map_err(|_| fail("the header is no text"))?;
    let kind = Kind::ALL.into_iter();
    let kind = kind
        .into_iter()
        .find(|kind| text.contains(&format!("'{}'", kind.descr())));
    let kind = kind.ok_or_else(|| fail("another kind of number"))?;
    if !text.contains("'fortran_order': False") {
        return Err(fail("another order"));
    }
    let shape = text
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map(|(axes, _)| {
            axes.split(',')
                .map(str::trim)
                .filter(|axis| !axis.is_empty())
        })
        .and_then(|axes| {
            axes.map(|axis| axis.parse().ok())
                .collect::<Option<Vec<usize>>>()
        })
        .filter(|shape| matches!(shape.len(), 1 | 2))
        .ok_or_else(|| fail("another shape"))?;
    Ok((kind, shape, 10 + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back() {
        for (kind, shape) in [
            (Kind::F4, vec![3usize, 7]),
            (Kind::I4, vec![0]),
            (Kind::I8, vec![123_456_789]),
        ] {
            let bytes = header(kind, &shape);
            assert_eq!(bytes.len() % 64, 0);
            assert_eq!(parse(&bytes), Ok((kind, shape, bytes.len())));
        }
        let text = header(Kind::F4, &[5, 2]);
        assert!(String::from_utf8_lossy(&text).contains("'shape': (5, 2), }"));
        let text = header(Kind::I4, &[5]);
        assert!(String::from_utf8_lossy(&text).contains("'shape': (5,), }"));
    }

    #[test]
    fn other_arrays_are_refused() {
        for bytes in [
            &b"PK"[..],
            b"\x93NUMPY\x01\x00\xff\xff",
            b"\x93NUMPY\x02\x00\x00\x00",
        ] {
            assert!(parse(bytes).is_err());
        }
    }
}
