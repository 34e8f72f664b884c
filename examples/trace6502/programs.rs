//! 6502 programs of our own, assembled by hand; they start at 0x0400.

/// A program by name.
pub fn builtin(name: &str) -> Option<&'static [u8]> {
    PROGRAMS.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}

/// Names and bytes of all programs.
pub const PROGRAMS: [(&str, &[u8]); 2] = [("odometer", &ODOMETER), ("checksum", &CHECKSUM)];

/// A car's odometer with two decimal digits, of which every tenth counts: it drives ten legs
/// of some 130,000 instructions each, adds 10 in decimal mode after each leg, and wants to
/// stop when the odometer turns over from 90 to 00.
///
/// Driving is a checksum over a page that is filled anew in every round; the subroutine saves
/// the flags on the stack, as careful code does.
#[rustfmt::skip]
const ODOMETER: [u8; 63] = [
    // start:
    0xD8,             // 0400  CLD
    0xA9, 0x00,       // 0401  LDA #$00
    0x85, 0x10,       // 0403  STA $10        ; the odometer, BCD
    0x85, 0x12,       // 0405  STA $12        ; the checksum
    // leg:
    0xA9, 0x30,       // 0407  LDA #$30       ; 48 rounds a leg
    0x85, 0x11,       // 0409  STA $11
    // round:
    0x20, 0x24, 0x04, // 040B  JSR drive
    0xC6, 0x11,       // 040E  DEC $11
    0xD0, 0xF9,       // 0410  BNE round
    0xF8,             // 0412  SED
    0x18,             // 0413  CLC
    0xA5, 0x10,       // 0414  LDA $10
    0x69, 0x10,       // 0416  ADC #$10       ; ten miles more, in decimal
    0x85, 0x10,       // 0418  STA $10
    0xD8,             // 041A  CLD
    0xD0, 0xEA,       // 041B  BNE leg        ; until it turns over to 00
    0xA9, 0xFF,       // 041D  LDA #$FF       ; it did: say so
    0x85, 0x13,       // 041F  STA $13
    // stop:
    0x4C, 0x21, 0x04, // 0421  JMP stop
    // drive:
    0x08,             // 0424  PHP
    0xA0, 0x00,       // 0425  LDY #$00
    // mile:
    0x98,             // 0427  TYA
    0x45, 0x12,       // 0428  EOR $12
    0x99, 0x00, 0x02, // 042A  STA $0200,Y
    0x0A,             // 042D  ASL A
    0x90, 0x02,       // 042E  BCC even
    0x49, 0x1D,       // 0430  EOR #$1D
    // even:
    0x18,             // 0432  CLC
    0x79, 0x00, 0x02, // 0433  ADC $0200,Y
    0x85, 0x12,       // 0436  STA $12
    0xC8,             // 0438  INY
    0xD0, 0xEC,       // 0439  BNE mile
    0x28,             // 043B  PLP
    0x60,             // 043C  RTS
    0x00, 0x00,       // 043D  not reached
];

/// The same checksum once over, in binary only: on this the engines agree to the end.
#[rustfmt::skip]
const CHECKSUM: [u8; 33] = [
    0xA9, 0x00,       // 0400  LDA #$00
    0x85, 0x12,       // 0402  STA $12
    0x08,             // 0404  PHP
    0xA0, 0x00,       // 0405  LDY #$00
    // mile:
    0x98,             // 0407  TYA
    0x45, 0x12,       // 0408  EOR $12
    0x99, 0x00, 0x02, // 040A  STA $0200,Y
    0x0A,             // 040D  ASL A
    0x90, 0x02,       // 040E  BCC even
    0x49, 0x1D,       // 0410  EOR #$1D
    // even:
    0x18,             // 0412  CLC
    0x79, 0x00, 0x02, // 0413  ADC $0200,Y
    0x85, 0x12,       // 0416  STA $12
    0xC8,             // 0418  INY
    0xD0, 0xEC,       // 0419  BNE mile
    0x28,             // 041B  PLP
    // stop:
    0x4C, 0x1C, 0x04, // 041C  JMP stop
    0x00, 0x00,       // 041F  not reached
];
