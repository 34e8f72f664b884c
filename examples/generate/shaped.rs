//! schema-v1 lines whose keys stand in another order: sorted, or the payload's turned round.

use super::lane::{KINDS, LONG, Lane, Texts};
use super::numbers::{decimal, hex8};
use super::options::{LineLength, Options, Shape};
use super::script::{Step, functions};
use smallvec::SmallVec;

/// What lines in another order need beside [`Texts`].
#[derive(Debug)]
pub struct Orders {
    functions: Vec<Named>,
    deterministic: &'static [u8],
    kinds: [Vec<u8>; 8],
    /// `"args_resolved"`, `"note"`, `"stack"`: in long lines.
    long: bool,
    turned: bool,
}

/// A function's texts.
#[derive(Debug)]
struct Named {
    name: Vec<u8>,
    module: Vec<u8>,
    ord: u32,
    argument: Vec<u8>,
    /// Whether the argument's name comes before `flags`.
    first: bool,
}

/// A value that is not written yet.
#[derive(Clone, Copy)]
enum Value<'text> {
    Number(u64),
    Hex(u32),
    Raw(&'text [u8]),
    Quoted(&'text [u8]),
    Arguments(&'text Named, u32, u32),
}

/// Keys with their colons, and values.
type Fields<'text> = SmallVec<[(&'static str, Value<'text>); 10]>;

impl Orders {
    pub fn new(options: &Options) -> Self {
        let named = |function: &super::script::Function| Named {
            name: format!(r#""{}""#, function.name).into_bytes(),
            module: format!(r#""{}""#, function.module).into_bytes(),
            ord: function.ord,
            argument: format!(r#""{}":"#, function.argument).into_bytes(),
            first: function.argument < "flags",
        };
        let short = matches!(options.line, LineLength::Short | LineLength::Tiny);
        Self {
            functions: functions().iter().map(named).collect(),
            deterministic: if short { b"" } else { br#""deterministic":true,"# },
            kinds: KINDS.map(|kind| format!(r#","kind":"{kind}","payload":"#).into_bytes()),
            long: options.line == LineLength::Long,
            turned: options.shape == Shape::Reordered,
        }
    }
}

/// A whole line, the keys of every object in it sorted.
pub fn sorted(out: &mut Vec<u8>, lane: &mut Lane, texts: &Texts, step: Step, host_ns: u64) {
    out.push(b'{');
    out.extend_from_slice(texts.orders.deterministic);
    if texts.long {
        out.extend_from_slice(br#""engine":""#);
        out.extend_from_slice(lane.side.engine().as_bytes());
        out.extend_from_slice(br#"","#);
    }
    out.extend_from_slice(br#""guest_cycle":"#);
    decimal(out, lane.cycle);
    out.extend_from_slice(br#","host_ns":"#);
    decimal(out, host_ns);
    out.extend_from_slice(&texts.orders.kinds[step.kind()]);
    out.push(b'{');
    lane.respell(out);
    payload(out, lane, texts, step);
    out.extend_from_slice(br#","tid":"#);
    decimal(out, lane.tid);
    out.extend_from_slice(br#","tid_event_idx":"#);
    decimal(out, lane.position + lane.ordinal_shift);
    out.extend_from_slice(b"}\n");
}

/// The payload from behind its brace to its closing one: sorted, or the sorted keys from the last to the first.
pub fn payload(out: &mut Vec<u8>, lane: &mut Lane, texts: &Texts, step: Step) {
    let mut fields = fields(lane, texts, step);
    if texts.orders.turned {
        fields.reverse();
    }
    for (at, (key, value)) in fields.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(key.as_bytes());
        write(out, *value, texts.orders.turned);
    }
    out.push(b'}');
}

fn write(out: &mut Vec<u8>, value: Value<'_>, turned: bool) {
    match value {
        Value::Number(number) => decimal(out, number),
        Value::Raw(text) => out.extend_from_slice(text),
        Value::Hex(number) => {
            out.extend_from_slice(b"\"0x");
            hex8(out, number);
            out.push(b'"');
        }
        Value::Quoted(text) => {
            out.push(b'"');
            out.extend_from_slice(text);
            out.push(b'"');
        }
        Value::Arguments(function, address, flags) => {
            out.push(b'{');
            for argument in [function.first != turned, function.first == turned] {
                if argument {
                    out.extend_from_slice(&function.argument);
                    write(out, Value::Hex(address), turned);
                } else {
                    out.extend_from_slice(br#""flags":"#);
                    decimal(out, u64::from(flags));
                }
                out.push(b',');
            }
            out.pop();
            out.push(b'}');
        }
    }
}

/// The payload's keys in the order of their bytes.
fn fields<'text>(lane: &mut Lane, texts: &'text Texts, step: Step) -> Fields<'text> {
    let mut fields = Fields::new();
    let orders = &texts.orders;
    let dump = texts.dump(lane.taken).map(|dump| (r#""dump":"#, Value::Quoted(dump)));
    match step {
        Step::Call { function, address, flags } | Step::Import { function, address, flags } => {
            let named = &orders.functions[function];
            fields.push((r#""args":"#, Value::Arguments(named, address, flags)));
            let [resolved, stack, note] = LONG.map(|(key, value)| (key, Value::Raw(value.as_bytes())));
            fields.extend(orders.long.then_some(resolved));
            fields.extend(texts.data(address).map(|data| (r#""data":"#, Value::Quoted(data))));
            fields.extend(dump);
            fields.extend(texts.long.then_some((r#""module":"#, Value::Raw(&named.module))));
            fields.push((r#""name":"#, Value::Raw(&named.name)));
            fields.extend(orders.long.then_some(note));
            fields.push((r#""ord":"#, Value::Number(u64::from(named.ord))));
            fields.extend(orders.long.then_some(stack));
        }
        Step::Return { function, .. } | Step::Allocated { function } => {
            let value = if let Step::Return { value, .. } = step { value } else { lane.allocate() };
            fields.extend(dump);
            fields.push((r#""name":"#, Value::Raw(&orders.functions[function].name)));
            fields.push((r#""return_value":"#, Value::Number(u64::from(value))));
            fields.extend(texts.long.then_some((r#""status":"#, Value::Hex(value))));
        }
        Step::HandleCreate { handle } | Step::HandleDestroy { handle } => {
            let create = matches!(step, Step::HandleCreate { .. });
            fields.extend(dump);
            fields.push((r#""handle_semantic_id":"#, Value::Number(handle)));
            fields.extend(create.then_some((r#""name":"#, Value::Raw(b"null"))));
            fields.extend(create.then_some((r#""object_type":"#, Value::Raw(br#""Event""#))));
            fields.push((r#""raw_handle_id":"#, Value::Number(lane.raw_handle(handle))));
        }
        Step::WaitBegin { handle, timeout } => {
            fields.push((r#""alertable":"#, Value::Raw(b"false")));
            fields.extend(dump);
            fields.push((r#""handle_semantic_id":"#, Value::Number(handle)));
            fields.push((r#""timeout_us":"#, Value::Number(u64::from(timeout))));
        }
        Step::WaitEnd { handle, status } => {
            fields.extend(dump);
            fields.push((r#""handle_semantic_id":"#, Value::Number(handle)));
            fields.push((r#""wait_duration_cycles":"#, Value::Number(lane.waited())));
            fields.push((r#""wait_result":"#, Value::Number(u64::from(status))));
        }
        Step::Exit { code } => {
            fields.extend(dump);
            fields.push((r#""exit_code":"#, Value::Number(u64::from(code))));
        }
        // Only flat logs have such lines.
        Step::Instruction { pc, .. } => fields.push((r#""pc":"#, Value::Number(u64::from(pc)))),
    }
    fields
}
