//! Lines of an instruction trace: one flat object, the whole of it compared but for its noisy column.

use super::lane::{Lane, Side, Texts};
use super::numbers::{decimal, hex8};
use super::options::{LineLength, Noisy, Options};
use super::script::Step;

const OPS: [&str; 32] = [
    "lwz", "stw", "addi", "add", "cmpw", "bne", "beq", "bl", "blr", "mflr", "mtlr", "lbz", "stb", "lhz", "sth", "and",
    "or", "xor", "slw", "srw", "mulli", "divw", "neg", "subf", "ori", "lis", "rlwinm", "extsb", "cntlzw", "fadd",
    "fmul", "lfs",
];

/// Which columns a line has.
#[derive(Debug)]
pub struct Columns {
    /// More than one thread, so each line names its own.
    threads: bool,
    /// Only a few, for lines of some 60 bytes.
    few: bool,
    noisy: Noisy,
    ops: [Vec<u8>; 32],
}

impl Columns {
    pub fn new(options: &Options) -> Self {
        Self {
            threads: options.lanes() > 1,
            few: options.line == LineLength::Tiny,
            noisy: options.noisy,
            ops: OPS.map(|op| format!(r#","op":"{op}","a":"#).into_bytes()),
        }
    }
}

/// Writes one instruction.
pub fn line(out: &mut Vec<u8>, lane: &mut Lane, texts: &Texts, step: Step) {
    let (columns, candidate) = (&texts.columns, lane.side == Side::Candidate);
    let Step::Instruction { pc, rest, .. } = step else { return };
    out.extend_from_slice(br#"{"seq":"#);
    decimal(out, lane.position + lane.ordinal_shift);
    if columns.threads {
        out.extend_from_slice(br#","thread":"#);
        decimal(out, lane.tid);
    }
    if !columns.few {
        out.extend_from_slice(br#","pc":"0x"#);
        hex8(out, pc);
        out.push(b'"');
    }
    out.extend_from_slice(&columns.ops[usize::from(rest & 31)]);
    decimal(out, u64::from(rest >> 5 & 0xFF));
    out.extend_from_slice(br#","x":"#);
    decimal(out, u64::from(rest >> 8));
    if !columns.few {
        // Bits 4 and 5 are what the mask overlooks; without one the two sides have the same.
        let unstored = match columns.noisy {
            Noisy::Flags if candidate => 0x20,
            _ => 0x10,
        };
        let flags = (rest >> 3 & 0xCF) as u8 | unstored;
        out.extend_from_slice(br#","sp":"#);
        decimal(out, 0xFF - u64::from(rest >> 12));
        out.extend_from_slice(br#","flags":"0x"#);
        out.extend([flags >> 4, flags & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]));
        out.push(b'"');
    }
    out.extend_from_slice(br#","cycles":"#);
    decimal(out, if columns.noisy == Noisy::Cycles { lane.cycle } else { lane.taken * 40 });
    for (key, letters) in [(&br#","data":""#[..], texts.data(pc)), (br#","dump":""#, texts.dump(lane.taken))] {
        if let Some(letters) = letters {
            out.extend_from_slice(key);
            out.extend_from_slice(letters);
            out.push(b'"');
        }
    }
    out.extend_from_slice(b"}\n");
}
