//! Reads the SSH wire format (RFC 4251, section 5), strictly.
//!
//! One value has one spelling here: a number with a needless zero, a text with a NUL and bytes left over are all
//! refused, so that a key cannot stand in a file or a signature twice under two fingerprints.

/// Why bytes are not what they should be, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable(pub(super) &'static str);

/// The part of a buffer that is still to be read.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What is still to be read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Refuses what is left over.
    pub(super) fn end(&self) -> Result<(), Unreadable> {
        if self.0.is_empty() { Ok(()) } else { Err(Unreadable("bytes are left over at its end")) }
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Unreadable("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Unreadable> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Unreadable> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, Unreadable> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// A length and so many bytes.
    pub(super) fn string(&mut self) -> Result<&'a [u8], Unreadable> {
        let length = usize::try_from(self.u32()?);
        self.bytes(length.map_err(|_too_long| Unreadable("it ends too early"))?)
    }

    /// A string of UTF-8 without NUL.
    pub(super) fn text(&mut self) -> Result<&'a str, Unreadable> {
        let bytes = self.string()?;
        if bytes.contains(&0) {
            return Err(Unreadable("a text in it holds a NUL"));
        }
        std::str::from_utf8(bytes).map_err(|_not_utf8| Unreadable("a text in it is not UTF-8"))
    }

    /// A positive number: its digits in base 256 without leading zeros.
    pub(super) fn positive(&mut self) -> Result<&'a [u8], Unreadable> {
        let bytes = self.string()?;
        match bytes {
            [] | [0x80..=0xff, ..] | [0] => Err(Unreadable("a number in it is not positive")),
            [0, digits @ ..] if digits.first().is_some_and(|first| *first >= 0x80) => Ok(digits),
            [0, ..] => Err(Unreadable("a number in it has needless zeros")),
            digits => Ok(digits),
        }
    }
}

/// Appends `bytes` as a string: their length, then they.
pub(super) fn put_string(buffer: &mut Vec<u8>, bytes: &[u8]) {
    // Everything written here was read from a buffer far below 4 GiB; a longer one would verify against nothing.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    buffer.extend(length.to_be_bytes());
    buffer.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        let read = |bytes: &[u8]| {
            let mut buffer = Vec::new();
            put_string(&mut buffer, bytes);
            Reader::new(&buffer).positive().map(<[u8]>::to_vec)
        };
        assert_eq!(read(&[1]).unwrap(), [1]);
        assert_eq!(read(&[0, 0x80]).unwrap(), [0x80]);
        assert_eq!(read(&[0x7f, 0]).unwrap(), [0x7f, 0]);
        for bad in [&[][..], &[0], &[0, 0], &[0, 1], &[0, 0, 0x80], &[0x80], &[0xff, 1]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn lengths_beyond_the_end_are_refused() {
        for bad in [&[][..], &[0, 0, 0], &[0, 0, 0, 1], &[0xff, 0xff, 0xff, 0xff, 1], &[0, 0, 0, 2, 65]] {
            assert!(Reader::new(bad).string().is_err(), "{bad:?}");
        }
        assert_eq!(Reader::new(&[0, 0, 0, 1, 65]).text().unwrap(), "A");
        assert!(Reader::new(&[0, 0, 0, 1, 0]).text().is_err());
        assert!(Reader::new(&[0, 0, 0, 1, 0xff]).text().is_err());
    }
}
