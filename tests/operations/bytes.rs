//! Any bytes, read as whatever is needed.

/// Takes numbers off the front; zero once there are no more.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

/// Under Miri a byte takes some thousand times as long.
const MOST: usize = if cfg!(miri) { 200 } else { usize::MAX };

impl<'a> Bytes<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.get(..MOST).unwrap_or(bytes))
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// 0 to `below` − 1.
    pub(crate) fn number(&mut self, below: u8) -> usize {
        usize::from(self.byte() % below)
    }

    pub(crate) fn wide(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }
}
