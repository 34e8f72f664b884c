//! A record as a line of JSONL.

use std::fmt::Write;

use super::engine::Record;

/// Replaces `out` by the line of one record; `ordinal` counts instructions from 0.
///
/// `thread`, `ordinal` and `payload` are what a diff needs; `host_ns` and `cycles` stand
/// beside the payload because the two engines need not agree on them.
pub fn line(out: &mut String, ordinal: u64, host_ns: u128, record: &Record) {
    let Record { pc, opcode, a, x, y, sp, p, cycles } = record;
    out.clear();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        r#"{{"thread":"cpu","ordinal":{ordinal},"host_ns":{host_ns},"cycles":{cycles},"payload":{{"pc":"0x{pc:04x}","opcode":"0x{opcode:02x}","a":"0x{a:02x}","x":"0x{x:02x}","y":"0x{y:02x}","sp":"0x{sp:02x}","p":"0x{p:02x}"}}}}"#
    );
}
