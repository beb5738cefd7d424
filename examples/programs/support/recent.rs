//! What was last read of a CSV: its parser passes over blank lines and comments, and then says where it began
//! to.

use std::io::{self, Read};

use csv::Position;

/// Text is dropped once so much of it is parsed.
const ENOUGH: usize = 1 << 16;

/// A source that remembers what is read of it.
pub struct Recent<R> {
    source: R,
    text: Vec<u8>,
    /// How much was dropped before.
    dropped: u64,
}

impl<R> Recent<R> {
    pub fn new(source: R) -> Self {
        Self { source, text: Vec::new(), dropped: 0 }
    }

    /// The line of the row that the parser came to from a position.
    pub fn line(&self, from: &Position) -> u64 {
        let start = usize::try_from(from.byte().saturating_sub(self.dropped)).unwrap_or(usize::MAX);
        let rest = self.text.get(start..).unwrap_or_default();
        let passed_over = |line: &&[u8]| {
            // Each of which ends a line to the parser, though it does not count it.
            let first = line.iter().find(|&&byte| byte != b'\r');
            matches!(first, None | Some(b'#'))
        };
        from.line() + rest.split(|&byte| byte == b'\n').take_while(passed_over).count() as u64
    }

    /// Nobody will ask for a line before this position.
    pub fn forget(&mut self, until: &Position) {
        let parsed = usize::try_from(until.byte().saturating_sub(self.dropped)).unwrap_or(usize::MAX);
        if parsed >= ENOUGH {
            let parsed = parsed.min(self.text.len());
            self.text.drain(..parsed);
            self.dropped += parsed as u64;
        }
    }
}

impl<R: Read> Read for Recent<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.text.extend_from_slice(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
