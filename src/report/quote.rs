//! Commands spelled so that a shell reads them back as they were meant.

use std::path::Path;

/// One word for a POSIX shell. What holds control characters or no UTF-8 becomes `$'…'`, which
/// bash, zsh, ksh and POSIX 2024 shells understand; all else is plain or in single quotes.
pub fn word(text: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./=:,+@%#".contains(byte);
    match std::str::from_utf8(text) {
        // A leading # begins a comment, and = is expanded by zsh.
        Ok(text) if !text.is_empty() && text.bytes().all(|byte| plain(&byte)) && !text.starts_with(['#', '=']) => {
            text.to_owned()
        }
        Ok(text) if super::visible::visible(text) == text => format!("'{}'", text.replace('\'', r"'\''")),
        _ => ansi_c(text),
    }
}

fn ansi_c(text: &[u8]) -> String {
    let mut out = String::from("$'");
    for &byte in text {
        match byte {
            b'\'' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'~' => out.push(char::from(byte)),
            // Three octal digits: unlike \x they cannot swallow a digit that follows.
            _ => out.push_str(&format!("\\{byte:03o}")),
        }
    }
    out.push('\'');
    out
}

/// A path as one word; one that begins with a dash gets `./` before it, so that it is no flag.
pub fn path(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    if bytes.starts_with(b"-") && bytes != b"-" {
        return word(&[b"./", bytes].concat());
    }
    word(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: [&[u8]; 12] = [
        b"a.jsonl",
        b"",
        b"a b",
        b"it's",
        b"$(rm -rf)",
        b"a\nb'\\",
        b"\xff\xfe9",
        b"`x`",
        b"*?[]",
        b"~/x",
        b"#x",
        "日本 \u{202e}".as_bytes(),
    ];

    #[test]
    fn words_look_as_expected() {
        assert_eq!(word(b"logs/a-1.jsonl"), "logs/a-1.jsonl");
        assert_eq!(word(b"a b"), "'a b'");
        assert_eq!(word(b"it's"), r"'it'\''s'");
        assert_eq!(word(b""), "''");
        assert_eq!(word(b"a\n9"), r"$'a\0129'");
        assert_eq!(path(Path::new("-x")), "./-x");
        assert_eq!(path(Path::new("-")), "-");
    }

    #[test]
    fn a_shell_reads_every_word_back() {
        for text in NASTY {
            let command = format!("printf %s {}", word(text));
            let answer = std::process::Command::new("bash").arg("-c").arg(&command).output();
            let Ok(answer) = answer else { return };
            assert_eq!(answer.stdout, text, "{command}");
        }
    }
}
