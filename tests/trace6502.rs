//! Where two 6502 emulators really part, found without forkpoint: typed records of both,
//! compared one by one. The end-to-end test and `docs/tutorial.md` rest on this.

// Not everything the example offers is used here.
#[allow(dead_code)]
#[path = "../examples/trace6502/mod.rs"]
mod trace6502;

use trace6502::engine::{Engine, Machine, Record};
use trace6502::{line, programs};

/// The status bits that are no flip-flops of the processor: break and the unused bit.
const NO_FLAGS: u8 = 0x30;

/// What two engines must agree on.
fn compared(of: &Record) -> (u16, u8, [u8; 4], u8) {
    (of.pc, of.opcode, [of.a, of.x, of.y, of.sp], of.p & !NO_FLAGS)
}

fn machines(program: &str) -> [Machine; 2] {
    let program = programs::builtin(program).expect("a built-in program");
    Engine::ALL.map(|engine| Machine::new(engine, program))
}

#[test]
fn the_odometer_parts_the_engines_after_a_million_instructions() {
    let [ours, theirs] = machines("odometer");
    let mut in_noise = 0;
    let mut pairs = ours.zip(theirs).enumerate();
    let (at, (mos, emu)) = pairs
        .find(|(_, (mos, emu))| {
            in_noise += u64::from(mos.p != emu.p && compared(mos) == compared(emu));
            compared(mos) != compared(emu)
        })
        .expect("they part");
    let (_, (mos_store, emu_store)) = pairs.next().expect("STA");
    let (_, (mos_cld, emu_cld)) = pairs.next().expect("CLD");
    let (_, (mos_branch, emu_branch)) = pairs.next().expect("BNE");
    let (_, (mos_after, emu_after)) = pairs.next().expect("and on");

    assert_eq!(at, 1_303_261);
    // Before that they differ all the time, in the bits that do not count.
    assert_eq!(in_noise, 1_300_563);
    assert_eq!((mos.cycles, emu.cycles), (3_648_183, 3_648_183));
    // The tenth ADC #$10 at 0416: 90 + 10 in decimal mode.
    assert_eq!((mos.pc, mos.opcode, emu.pc, emu.opcode), (0x0416, 0x69, 0x0416, 0x69));
    assert_eq!((mos.a, emu.a), (0x00, 0x00));
    // Both carry; one says "zero", the other "negative".
    assert_eq!((mos.p, emu.p), (0x3F, 0xAD));
    assert_eq!((mos_store.pc, emu_store.pc, mos_cld.pc, emu_cld.pc), (0x0418, 0x0418, 0x041A, 0x041A));
    assert_eq!((mos_branch.pc, emu_branch.pc), (0x041B, 0x041B));
    // One has arrived, the other drives on.
    assert_eq!((mos_after.pc, emu_after.pc), (0x041D, 0x0407));
}

/// Bruce Clark, "Decimal Mode" (6502.org), appendix A, sequences 1 and 2, for the NMOS 6502.
fn nmos_adc(a: u8, b: u8, carry: bool) -> (u8, u8) {
    let (a, b, carry) = (i32::from(a), i32::from(b), i32::from(carry));
    let mut low = (a & 0x0F) + (b & 0x0F) + carry;
    if low >= 0x0A {
        low = ((low + 0x06) & 0x0F) + 0x10;
    }
    let mut sum = (a & 0xF0) + (b & 0xF0) + low;
    let signed = i32::from((a & 0xF0) as u8 as i8) + i32::from((b & 0xF0) as u8 as i8) + low;
    let negative = sum & 0x80 != 0;
    let overflow = !(-128..=127).contains(&signed);
    if sum >= 0xA0 {
        sum += 0x60;
    }
    let zero = (a + b + carry) & 0xFF == 0;
    let flags = u8::from(negative) << 7 | u8::from(overflow) << 6 | u8::from(zero) << 1 | u8::from(sum >= 0x100);
    ((sum & 0xFF) as u8, flags)
}

/// One decimal addition on an engine: the sum, and N, V, Z, C.
fn adc(engine: Engine, a: u8, b: u8, carry: bool) -> (u8, u8) {
    // SED; CLC or SEC; LDA #a; ADC #b
    let program = [0xF8, if carry { 0x38 } else { 0x18 }, 0xA9, a, 0x69, b];
    let record: Record = Machine::new(engine, &program).nth(3).expect("four instructions");
    (record.a, record.p & 0xC3)
}

/// The engine that the documentation agrees with, over every pair of valid decimal numbers.
#[test]
fn documentation_decides_for_emulator_6502() {
    let mut wrong_in_mos = 0;
    let decimal = |value: u8| value & 0x0F < 10 && value >> 4 < 10;
    for a in (0..=0x99).filter(|a| decimal(*a)) {
        for b in (0..=0x99).filter(|b| decimal(*b)) {
            for carry in [false, true] {
                let documented = nmos_adc(a, b, carry);
                assert_eq!(adc(Engine::Emulator6502, a, b, carry), documented, "{a:02x} + {b:02x} + {carry}");
                let mos = adc(Engine::Mos6502, a, b, carry);
                // Sum and carry are never in question, only N, V and Z.
                assert_eq!((mos.0, mos.1 & 1), (documented.0, documented.1 & 1));
                wrong_in_mos += u32::from(mos != documented);
            }
        }
    }
    assert_eq!(nmos_adc(0x90, 0x10, false), (0x00, 0x81));
    assert_eq!(adc(Engine::Mos6502, 0x90, 0x10, false), (0x00, 0x03));
    assert_eq!(wrong_in_mos, 9_503, "of 20,000");
}

#[test]
fn the_checksum_is_the_same_to_the_end() {
    let [mos, emu] = machines("checksum").map(|machine| machine.take(100_000).collect::<Vec<_>>());
    assert_eq!(mos.len(), emu.len());
    assert!(mos.len() > 2_000 && mos.len() < 100_000, "the program stops by itself");
    for (mos, emu) in mos.iter().zip(&emu) {
        assert_eq!((compared(mos), mos.cycles), (compared(emu), emu.cycles));
    }
    // Pulling the status sets bit 4 in one engine and not in the other: noise.
    let (mos, emu) = (mos.last().expect("records"), emu.last().expect("records"));
    assert_eq!((mos.p ^ emu.p) & NO_FLAGS, 0x10);
}

#[test]
fn lines_are_json() {
    let record = machines("checksum")[0].step().expect("a first instruction");
    let mut text = String::new();
    line::line(&mut text, 7, 12, &record);
    let event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&event["thread"], &event["ordinal"], &event["host_ns"]), (&"cpu".into(), &7.into(), &12.into()));
    assert_eq!((&event["payload"]["pc"], &event["payload"]["opcode"]), (&"0x0400".into(), &"0xa9".into()));
    assert!(text.ends_with("\"}}\n"));
}
