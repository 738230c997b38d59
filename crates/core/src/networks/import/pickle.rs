//! Reads Python pickles as data: a tree of values, in which nothing is ever executed.
//!
//! candle has such a reader, but it copies an object each time it is referred to, so that a file
//! of a few hundred bytes can ask for terabytes, and it allocates what a length field says before
//! it looks whether the bytes are there. Imported files come from anywhere, so here objects are
//! shared and every length is checked first. Opcodes follow Python's `pickletools.py` (protocol 2,
//! what PyTorch writes).

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A value of a pickle. Compound values are shared, as the pickle's memo shares them.
#[derive(Debug, Clone)]
pub enum Value {
    /// `None`.
    None,
    /// `True`, `False`.
    Bool(bool),
    /// An integer of up to 64 bits.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string.
    Text(Rc<str>),
    /// A class or function, by name; it is never looked up.
    Global(Rc<str>),
    /// A tuple.
    Tuple(Rc<[Value]>),
    /// A list.
    List(Rc<RefCell<Vec<Value>>>),
    /// A dictionary, in the order written.
    Dict(Rc<RefCell<Vec<(Value, Value)>>>),
    /// The result of calling something with arguments.
    Call(Rc<(Value, Value)>),
    /// An object with the state it would be given.
    Object(Rc<(Value, Value)>),
    /// A reference to data outside the pickle.
    External(Rc<Value>),
}

/// Why bytes are no pickle that can be read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PickleError {
    /// The bytes end in the middle.
    #[error("the pickle is cut off at byte {0}")]
    CutOff(usize),
    /// An opcode outside protocol 2, or one PyTorch does not write.
    #[error("opcode {code:#04x} at byte {at} of the pickle is not supported")]
    Opcode {
        /// The opcode.
        code: u8,
        /// Its place.
        at: usize,
    },
    /// More opcodes than any published network needs by far.
    #[error(
        "the pickle has more than {MAX_OPCODES} opcodes; this is no network of the kind that is imported"
    )]
    TooLong,
    /// The program does not fit its own stack or memo, or a value is malformed.
    #[error("the pickle is malformed at byte {0}")]
    Malformed(usize),
}

/// Bounds how deeply values can be nested, since they are dropped recursively. GATK's pickles have
/// up to 2,738 opcodes.
const MAX_OPCODES: usize = 8192;

enum Slot {
    Mark,
    Value(Value),
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Slot>,
    memo: HashMap<u32, Value>,
}

/// Reads one pickle.
///
/// Memory is proportional to `bytes`: every opcode makes at most one value of bounded size or one
/// as long as the bytes it stands in.
///
/// # Errors
/// [`PickleError`] for anything but a whole protocol-2 pickle.
pub fn read(bytes: &[u8]) -> Result<Value, PickleError> {
    let mut machine = Machine {
        bytes,
        at: 0,
        stack: Vec::new(),
        memo: HashMap::new(),
    };
    for _ in 0..MAX_OPCODES {
        if machine.step()? {
            return machine.pop();
        }
    }
    Err(PickleError::TooLong)
}

impl Machine<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], PickleError> {
        let end = self
            .at
            .checked_add(count)
            .filter(|end| *end <= self.bytes.len());
        let end = end.ok_or(PickleError::CutOff(self.bytes.len()))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn little_endian(&mut self, count: usize) -> Result<u64, PickleError> {
        let bytes = self.take(count)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn line(&mut self) -> Result<String, PickleError> {
        let rest = &self.bytes[self.at..];
        let length = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or(PickleError::CutOff(self.bytes.len()))?;
        let line = String::from_utf8_lossy(&rest[..length]).into_owned();
        self.at += length + 1;
        Ok(line)
    }

    fn malformed(&self) -> PickleError {
        PickleError::Malformed(self.at)
    }

    fn push(&mut self, value: Value) {
        self.stack.push(Slot::Value(value));
    }

    fn pop(&mut self) -> Result<Value, PickleError> {
        match self.stack.pop() {
            Some(Slot::Value(value)) => Ok(value),
            _ => Err(self.malformed()),
        }
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>, PickleError> {
        let mark = self
            .stack
            .iter()
            .rposition(|slot| matches!(slot, Slot::Mark))
            .ok_or(self.malformed())?;
        let values = self.stack.drain(mark..).filter_map(|slot| match slot {
            Slot::Mark => None,
            Slot::Value(value) => Some(value),
        });
        Ok(values.collect())
    }

    fn last(&self) -> Result<&Value, PickleError> {
        match self.stack.last() {
            Some(Slot::Value(value)) => Ok(value),
            _ => Err(self.malformed()),
        }
    }

    fn tuple(&mut self, count: usize) -> Result<(), PickleError> {
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(self.pop()?);
        }
        values.reverse();
        self.push(Value::Tuple(values.into()));
        Ok(())
    }

    fn append(&mut self, values: Vec<Value>) -> Result<(), PickleError> {
        match self.last()? {
            Value::List(list) => list.borrow_mut().extend(values),
            _ => return Err(self.malformed()),
        }
        Ok(())
    }

    fn set_items(&mut self, values: Vec<Value>) -> Result<(), PickleError> {
        if !values.len().is_multiple_of(2) {
            return Err(self.malformed());
        }
        match self.last()? {
            Value::Dict(dict) => {
                let mut dict = dict.borrow_mut();
                let mut values = values.into_iter();
                while let (Some(key), Some(value)) = (values.next(), values.next()) {
                    dict.push((key, value));
                }
            }
            _ => return Err(self.malformed()),
        }
        Ok(())
    }

    fn get(&mut self, key: u32) -> Result<(), PickleError> {
        let value = self.memo.get(&key).cloned().ok_or(self.malformed())?;
        self.push(value);
        Ok(())
    }

    fn put(&mut self, key: u32) -> Result<(), PickleError> {
        let value = self.last()?.clone();
        self.memo.insert(key, value);
        Ok(())
    }

    fn call(&mut self) -> Result<(), PickleError> {
        let arguments = self.pop()?;
        let callee = self.pop()?;
        let ordered =
            matches!(&callee, Value::Global(name) if &**name == "collections.OrderedDict");
        self.push(if ordered {
            Value::Dict(Rc::default())
        } else {
            Value::Call(Rc::new((callee, arguments)))
        });
        Ok(())
    }

    /// Runs one opcode; true at the end of the pickle.
    fn step(&mut self) -> Result<bool, PickleError> {
        let at = self.at;
        let code = self.little_endian(1)? as u8;
        match code {
            0x80 => {
                self.take(1)?;
            }
            b'c' => {
                let name = format!("{}.{}", self.line()?, self.line()?);
                self.push(Value::Global(name.into()));
            }
            b'K' => {
                let value = self.little_endian(1)?;
                self.push(Value::Int(value as i64));
            }
            b'M' => {
                let value = self.little_endian(2)?;
                self.push(Value::Int(value as i64));
            }
            b'J' => {
                let value = self.little_endian(4)? as u32 as i32;
                self.push(Value::Int(i64::from(value)));
            }
            0x8a => {
                let count = self.little_endian(1)? as usize;
                if count > 8 {
                    return Err(self.malformed());
                }
                let raw = self.little_endian(count)?;
                let unused = 64 - 8 * count as u32;
                let value = if count == 0 {
                    0
                } else {
                    (raw << unused) as i64 >> unused
                };
                self.push(Value::Int(value));
            }
            b'G' => {
                let bits = self.little_endian(8)?.swap_bytes();
                self.push(Value::Float(f64::from_bits(bits)));
            }
            b'X' => {
                let count = self.little_endian(4)? as usize;
                let text = String::from_utf8_lossy(self.take(count)?).into_owned();
                self.push(Value::Text(text.into()));
            }
            b'Q' => {
                let id = self.pop()?;
                self.push(Value::External(Rc::new(id)));
            }
            b'(' => self.stack.push(Slot::Mark),
            b't' => {
                let values = self.pop_to_mark()?;
                self.push(Value::Tuple(values.into()));
            }
            b')' => self.tuple(0)?,
            0x85 => self.tuple(1)?,
            0x86 => self.tuple(2)?,
            0x87 => self.tuple(3)?,
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'N' => self.push(Value::None),
            b']' => self.push(Value::List(Rc::default())),
            b'}' => self.push(Value::Dict(Rc::default())),
            b'a' => {
                let value = self.pop()?;
                self.append(vec![value])?;
            }
            b'e' => {
                let values = self.pop_to_mark()?;
                self.append(values)?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set_items(vec![key, value])?;
            }
            b'u' => {
                let values = self.pop_to_mark()?;
                self.set_items(values)?;
            }
            b'h' => {
                let key = self.little_endian(1)? as u32;
                self.get(key)?;
            }
            b'j' => {
                let key = self.little_endian(4)? as u32;
                self.get(key)?;
            }
            b'q' => {
                let key = self.little_endian(1)? as u32;
                self.put(key)?;
            }
            b'r' => {
                let key = self.little_endian(4)? as u32;
                self.put(key)?;
            }
            b'R' | 0x81 => self.call()?,
            b'b' => {
                let state = self.pop()?;
                let object = self.pop()?;
                self.push(Value::Object(Rc::new((object, state))));
            }
            b'.' => return Ok(true),
            code => return Err(PickleError::Opcode { code, at }),
        }
        Ok(false)
    }
}

impl Value {
    /// The value under a text key of a dictionary.
    pub fn get(&self, key: &str) -> Option<Value> {
        let Value::Dict(dict) = self else {
            return None;
        };
        let dict = dict.borrow();
        let found = dict.iter().find(|(name, _)| name.text() == Some(key))?;
        Some(found.1.clone())
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A count: an integer that is not negative.
    pub fn count(&self) -> Option<usize> {
        match self {
            Value::Int(value) => usize::try_from(*value).ok(),
            _ => None,
        }
    }

    /// The items of a tuple.
    pub fn items(&self) -> Option<&[Value]> {
        match self {
            Value::Tuple(items) => Some(items),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `pickle.dumps(OrderedDict(a=(1, -2, 2.5), b=[None, True, 'x'], c={'k': 70000}), protocol=2)`
    /// under Python 3.11.
    const PICKLE: &[u8] = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01(X\x01\x00\x00\x00aq\x02K\x01J\xfe\xff\xff\xffG@\x04\x00\x00\x00\x00\x00\x00\x87q\x03X\x01\x00\x00\x00bq\x04]q\x05(N\x88X\x01\x00\x00\x00xq\x06eX\x01\x00\x00\x00cq\x07}q\x08X\x01\x00\x00\x00kq\tJp\x11\x01\x00su.";

    #[test]
    fn reads_what_python_writes() {
        let value = read(PICKLE).unwrap();
        let a = value.get("a").unwrap();
        assert!(matches!(
            a.items().unwrap(),
            [Value::Int(1), Value::Int(-2), Value::Float(x)] if *x == 2.5
        ));
        assert_eq!(
            value.get("c").unwrap().get("k").unwrap().count(),
            Some(70_000)
        );
        assert!(value.get("d").is_none());
    }

    #[test]
    fn a_cut_off_pickle_is_an_error_everywhere() {
        for length in 0..PICKLE.len() {
            assert!(read(&PICKLE[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn lengths_are_not_believed() {
        assert_eq!(
            read(b"X\xff\xff\xff\xffab").unwrap_err(),
            PickleError::CutOff(7)
        );
        assert_eq!(read(b"\x8a\xff.").unwrap_err(), PickleError::Malformed(2));
    }

    #[test]
    fn shared_objects_stay_shared() {
        // t = (); 60 times t = (t, t): 2^60 leaves if every mention were a copy.
        let mut bytes = b")q\x00".to_vec();
        for _ in 0..60 {
            bytes.extend_from_slice(b"h\x00h\x00\x86q\x00");
        }
        bytes.push(b'.');
        assert!(matches!(read(&bytes), Ok(Value::Tuple(_))));
    }

    #[test]
    fn deep_nesting_ends_before_the_stack_does() {
        let mut bytes = vec![b')'];
        bytes.resize(MAX_OPCODES - 1, 0x85);
        bytes.push(b'.');
        assert!(matches!(read(&bytes), Ok(Value::Tuple(_))));
        bytes.insert(0, b'N');
        assert_eq!(read(&bytes).unwrap_err(), PickleError::TooLong);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn no_damage_makes_it_panic(at in 0..PICKLE.len(), byte: u8) {
            let mut bytes = PICKLE.to_vec();
            bytes[at] = byte;
            let _ = read(&bytes);
        }
    }
}
