//! Any bytes, read as whatever is needed.

/// Takes numbers off the front; zero once there are no more.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Bytes<'_> {
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
