//! What came of a run, for whoever judges what is said of its log.

/// A call that signals an object: the so manieth of a thread on it, from 1. Threads do the same in every run, so it is the same call
/// in all of them.
#[derive(Clone, Debug)]
pub struct Signal {
    pub thread: String,
    pub object: String,
    pub turn: u64,
    /// Who waits for the object in vain without it: all whose name begins so. One of them at least does.
    pub waits: &'static str,
    /// What may be said of why.
    pub reasons: &'static [&'static str],
}

/// The call that was left out.
#[derive(Clone, Debug)]
pub struct LeftOut {
    pub signal: Signal,
    pub tid: u64,
    pub function: &'static str,
    /// Of the program's source.
    pub line: u32,
}

/// A thread that waits when the run is over, and the line of the log with the call in which it does.
#[derive(Clone, Debug)]
pub struct Parked {
    pub tid: u64,
    pub thread: String,
    pub object: String,
    pub line: u64,
}

pub struct Outcome {
    pub log: String,
    /// Empty: all threads have ended.
    pub parked: Vec<Parked>,
    pub left_out: Option<LeftOut>,
    /// The program's own answer, and the true one.
    pub words: [u64; 2],
}

impl Outcome {
    /// Everything but the log, on one line. Names hold nothing that is to be escaped.
    pub fn json(&self) -> String {
        let parked = self.parked.iter().map(|one| {
            let Parked { tid, thread, object, line } = one;
            format!("{{\"tid\":{tid},\"thread\":\"{thread}\",\"object\":\"{object}\",\"line\":{line}}}")
        });
        let left_out = self.left_out.as_ref().map_or("null".to_owned(), |left| {
            let Signal { thread, object, turn, waits, reasons } = &left.signal;
            format!(
                "{{\"tid\":{},\"thread\":\"{thread}\",\"object\":\"{object}\",\"turn\":{turn},\"function\":\"{}\",\
                 \"source_line\":{},\"waits\":\"{waits}\",\"reasons\":{reasons:?}}}",
                left.tid, left.function, left.line
            )
        });
        let parked = parked.collect::<Vec<_>>().join(",");
        let [words, truly] = self.words;
        format!("{{\"parked\":[{parked}],\"left_out\":{left_out},\"words\":{words},\"words_truly\":{truly}}}")
    }
}
