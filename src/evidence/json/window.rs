//! A file seen through a small window: as many bytes as a step of the parser looks at, never the whole.

use std::io::{ErrorKind, Read};

/// How many bytes are asked for at once.
const SIZE: usize = 64 * 1024;

/// The bytes that come next.
pub(super) struct Window<R> {
    source: R,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    ended: bool,
}

impl<R: Read> Window<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, buffer: vec![0; SIZE], at: 0, end: 0, ended: false }
    }

    /// The bytes that are at hand: none only at the end of the file.
    pub(super) fn rest(&mut self) -> std::io::Result<&[u8]> {
        self.at_least(1)
    }

    /// The bytes that are at hand: `wanted` of them, fewer only at the end of the file.
    pub(super) fn at_least(&mut self, wanted: usize) -> std::io::Result<&[u8]> {
        while self.end - self.at < wanted && !self.ended {
            self.fill()?;
        }
        Ok(self.buffer.get(self.at..self.end).unwrap_or_default())
    }

    /// Steps over bytes that are at hand.
    pub(super) fn step(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.end);
    }

    /// The next byte.
    pub(super) fn peek(&mut self) -> std::io::Result<Option<u8>> {
        match self.buffer.get(self.at) {
            Some(byte) if self.at < self.end => Ok(Some(*byte)),
            Some(_) | None => Ok(self.rest()?.first().copied()),
        }
    }

    fn fill(&mut self) -> std::io::Result<()> {
        self.buffer.copy_within(self.at..self.end, 0);
        self.end -= self.at;
        self.at = 0;
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        match self.source.read(free) {
            Ok(0) => self.ended = true,
            Ok(read) => self.end += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_once_however_few_come_at_a_time() {
        struct Drip<'a>(&'a [u8]);
        impl Read for Drip<'_> {
            fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
                let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
                into[0] = *first;
                self.0 = rest;
                Ok(1)
            }
        }
        let bytes: Vec<u8> = (0..=255).cycle().take(3 * SIZE + 7).collect();
        let mut window = Window::new(Drip(&bytes));
        let mut seen = Vec::new();
        loop {
            let found = window.at_least(5).unwrap().to_vec();
            assert!(found.len() >= 5 || seen.len() + found.len() == bytes.len());
            let Some(first) = found.first() else { break };
            assert_eq!(window.peek().unwrap(), Some(*first));
            seen.push(*first);
            window.step(1);
        }
        assert_eq!(seen, bytes);
        assert_eq!(window.peek().unwrap(), None);
    }
}
