//! The boards `mps2-an385` and `mps2-an386`, of which this needs a serial line, two timers and an exit
//! status.
//!
//! All `unsafe` of this package is here: what the addresses are is in the Application Notes 385 and 386 of
//! Arm, and what is behind them in the Cortex-M System Design Kit.

use core::fmt::{self, Write};
use core::panic::PanicInfo;

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use mdinference::{Micros, Timestamp};

/// Ticks of the boards' clock in a microsecond.
pub const TICKS_A_MICROSECOND: u32 = 25;

/// A register of 32 bits.
#[derive(Clone, Copy, Debug)]
struct Register(usize);

impl Register {
    fn read(self) -> u32 {
        // SAFETY: only this module makes registers, and each is one of the boards', at its address, that may
        // be read.
        unsafe { (self.0 as *const u32).read_volatile() }
    }

    fn write(self, value: u32) {
        // SAFETY: as above, and no memory of the program is behind any of them.
        unsafe { (self.0 as *mut u32).write_volatile(value) }
    }
}

/// The first serial line, to be written to.
#[derive(Debug)]
pub struct Serial(());

impl Serial {
    const DATA: Register = Register(0x4000_4000);
    /// Bit 0: the buffer is full.
    const STATE: Register = Register(0x4000_4004);
    /// Bit 0: it sends.
    const CONTROL: Register = Register(0x4000_4008);
    const DIVIDER: Register = Register(0x4000_4010);

    /// At 115,200 baud.
    pub fn new() -> Self {
        Self::DIVIDER.write(TICKS_A_MICROSECOND * 1_000_000 / 115_200);
        Self::CONTROL.write(1);
        Self(())
    }
}

impl Default for Serial {
    fn default() -> Self {
        Self::new()
    }
}

impl Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            while Self::STATE.read() & 1 == 1 {}
            Self::DATA.write(byte.into());
        }
        Ok(())
    }
}

/// The time since it was made, by the first timer; and the second, which wakes.
#[derive(Debug)]
pub struct Clock {
    /// What the first timer read last.
    reading: u32,
    ticks: u64,
}

/// The number of the second timer's interrupt.
#[derive(Clone, Copy, Debug)]
struct Alarm;

// SAFETY: it is the number that the boards have for it.
unsafe impl InterruptNumber for Alarm {
    fn number(self) -> u16 {
        9
    }
}

impl Clock {
    /// Bit 0: it counts. Bit 3: it interrupts at zero.
    const CONTROL: Register = Register(0x4000_0000);
    const VALUE: Register = Register(0x4000_0004);
    const RELOAD: Register = Register(0x4000_0008);
    const ALARM_CONTROL: Register = Register(0x4000_1000);
    const ALARM_VALUE: Register = Register(0x4000_1004);
    const ALARM_RELOAD: Register = Register(0x4000_1008);
    const ALARM_CLEAR: Register = Register(0x4000_100C);

    /// Begins to count.
    pub fn new() -> Self {
        // Nothing is done in an interrupt: one that is pending ends the processor's sleep, even if it is
        // masked.
        cortex_m::interrupt::disable();
        // SAFETY: nothing has a critical section that rests on this interrupt's being masked.
        unsafe { NVIC::unmask(Alarm) };
        Self::RELOAD.write(u32::MAX);
        Self::VALUE.write(u32::MAX);
        Self::CONTROL.write(1);
        Self { reading: Self::VALUE.read(), ticks: 0 }
    }

    /// Ticks since it was made. It has to be read once in 171 s, or it loses them.
    pub fn ticks(&mut self) -> u64 {
        let reading = Self::VALUE.read();
        // It counts down, and begins anew.
        self.ticks += u64::from(self.reading.wrapping_sub(reading));
        self.reading = reading;
        self.ticks
    }

    /// The time since it was made.
    pub fn now(&mut self) -> Timestamp {
        Timestamp::from_micros(self.ticks() / u64::from(TICKS_A_MICROSECOND))
    }

    /// Sleeps until this time is there, and gives what the clock reads then.
    pub fn sleep_until(&mut self, at: Timestamp) -> Timestamp {
        /// Often enough for [`Self::ticks`].
        const LONGEST: Micros = Micros::from_millis(60_000);
        loop {
            let now = self.now();
            let left = at.since(now).min(LONGEST);
            if left == Micros::ZERO {
                return now;
            }
            let ticks = left.get() * TICKS_A_MICROSECOND;
            Self::ALARM_RELOAD.write(ticks);
            Self::ALARM_VALUE.write(ticks);
            Self::ALARM_CONTROL.write(0b1001);
            cortex_m::asm::wfi();
            Self::ALARM_CONTROL.write(0);
            Self::ALARM_CLEAR.write(1);
            NVIC::unpend(Alarm);
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// A hundred instructions, by which to know that they are counted.
#[inline(always)]
pub fn hundred_instructions() {
    // SAFETY: they do nothing.
    unsafe { core::arch::asm!(".rept 100", "nop", ".endr", options(nomem, nostack, preserves_flags)) };
}

/// How much stack a call takes, in bytes, as far as it writes to it: what is below is painted before, and
/// looked at after.
#[inline(never)]
pub fn deepest_stack(call: impl FnOnce()) -> usize {
    const PAINT: u32 = 0xA5A5_A5A5;
    const WORDS: usize = 2_048;
    let bottom = cortex_m::register::msp::read() as usize;
    for word in 1..=WORDS {
        // SAFETY: it is below the stack pointer, where nothing is kept, and far above what else is in memory;
        // this function calls nobody meanwhile, and interrupts are masked.
        unsafe { ((bottom - 4 * word) as *mut u32).write_volatile(PAINT) };
    }
    called(call);
    // SAFETY: as above.
    let painted = |word: &usize| unsafe { ((bottom - 4 * word) as *const u32).read_volatile() } == PAINT;
    4 * (1..=WORDS).rev().find(|word| !painted(word)).unwrap_or(0)
}

/// So that what is painted is below all that the caller has.
#[inline(never)]
fn called(call: impl FnOnce()) {
    call();
}

/// Ends the program, and the emulator with this exit status. Without an emulator or a debugger it stops here.
pub fn exit(status: u32) -> ! {
    const EXIT_EXTENDED: usize = 0x20;
    const APPLICATION_EXIT: usize = 0x2_0026;
    let why: [usize; 2] = [APPLICATION_EXIT, status as usize];
    // SAFETY: this call reads two words from where it is told, and does not come back.
    unsafe { cortex_m::asm::semihosting_syscall(EXIT_EXTENDED as u32, why.as_ptr() as u32) };
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let _ = writeln!(Serial::new(), "{info}");
    exit(101)
}
