//! What is wrong with an archive: a result to be told, not the end of the run.

use std::fmt;
use std::path::PathBuf;

use super::Format;

/// Why an archive was not read to its end. What was unpacked before was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The log, as it was named.
    pub path: PathBuf,
    /// How it is packed.
    pub format: Format,
    /// What is wrong.
    pub kind: DamageKind,
    /// Bytes of the archive up to there.
    pub packed: u64,
    /// Bytes of the log unpacked up to there.
    pub unpacked: u64,
}

/// What is wrong with an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DamageKind {
    /// It ends in the middle.
    Truncated,
    /// Its bytes contradict each other; the decoder's words.
    Corrupt(String),
    /// It was made to be unpacked with more memory than is allowed (`zstd --long`): 2 to this power bytes.
    Window(u32),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { path, format, kind, packed, unpacked } = self;
        let place = format_args!("byte {packed} of the archive (byte {unpacked} of the log)");
        write!(f, "{}: the {format} archive ", path.display())?;
        match kind {
            DamageKind::Truncated => write!(f, "is truncated: it ends at {place}"),
            DamageKind::Corrupt(reason) => write!(f, "is damaged behind {place}: {reason}"),
            DamageKind::Window(log) => write!(
                f,
                "needs a window of more than 2^{log} bytes behind {place}; allow it with --zstd-window-log-max 31"
            ),
        }
    }
}

impl std::error::Error for Damage {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_the_log_and_both_bytes() {
        let of = |kind| {
            let path = "run.jsonl.gz".into();
            Damage { path, format: Format::Gzip, kind, packed: 12, unpacked: 345 }.to_string()
        };
        let place = "byte 12 of the archive (byte 345 of the log)";
        assert_eq!(
            of(DamageKind::Truncated),
            format!("run.jsonl.gz: the gzip archive is truncated: it ends at {place}")
        );
        assert_eq!(
            of(DamageKind::Corrupt("invalid code".into())),
            format!("run.jsonl.gz: the gzip archive is damaged behind {place}: invalid code")
        );
        assert!(of(DamageKind::Window(27)).contains("--zstd-window-log-max 31"));
    }
}
