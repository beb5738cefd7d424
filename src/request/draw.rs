//! [`Draw`]: the randomness of one selection, 64 uniform bits, and the ways to come by them.

use rand_core::Rng;

/// 64 uniformly random bits: all that a selection leaves to chance.
///
/// The same draw gives the same decision on every target, so that a draw made of an id makes a choice that sticks, and a
/// log of draws replays a day. There is no conversion from `u64`: ids and times that count up are no random bits, and
/// [`Draw::from_id`] makes them so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Draw(u64);

impl Draw {
    /// Of the id of a request, a user or a session, or of a time: mixed, so that ids in sequence draw as if at random.
    pub const fn from_id(id: u64) -> Self {
        Self(mixed(id.wrapping_add(ODD)))
    }

    /// Of any bytes, such as a request id that is a text: hashed, eight at a time. Not meant to withstand an attacker
    /// who chooses the bytes.
    pub const fn from_bytes(bytes: &[u8]) -> Self {
        let mut hash = bytes.len() as u64;
        let mut rest = bytes;
        while let Some((&first, after)) = rest.split_first_chunk::<8>() {
            hash = mixed(hash.wrapping_add(ODD) ^ u64::from_le_bytes(first));
            rest = after;
        }
        let mut last = 0;
        while let Some((&byte, before)) = rest.split_last() {
            last = last << 8 | byte as u64;
            rest = before;
        }
        Self(mixed(hash.wrapping_add(ODD) ^ last))
    }

    /// Of a generator, from which exactly one `u64` is drawn.
    #[inline]
    pub fn from_rng<R: Rng + ?Sized>(rng: &mut R) -> Self {
        Self(rng.next_u64())
    }

    /// Of 64 bits that are uniformly random as they stand, such as those of another [`Draw`] from a log.
    pub const fn from_uniform_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Other bits, of which these tell nothing that shows.
    pub(crate) const fn remixed(self) -> Self {
        Self(mixed(self.0 ^ ODD))
    }

    /// Uniform below `bound`, by the upper 32 bits.
    pub(crate) const fn below(self, bound: u32) -> u32 {
        ((self.0 >> 32).wrapping_mul(bound as u64) >> 32) as u32
    }

    /// The bits.
    #[inline]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// 2⁶⁴ divided by the golden ratio, as an odd number.
const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

/// One-to-one, and each bit of the result depends on every bit: the finaliser of SplitMix64 (Steele, Lea and Flood,
/// 2014; its constants are those of Stafford's variant 13).
const fn mixed(bits: u64) -> u64 {
    let bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ bits >> 31
}
