//! What was learned, as a profile file.

use super::proposal::{self, Proposal};
use crate::profile::{Profile, show, show_rules};

/// The text of a profile of the proposed rules. It `extends` a profile's name or file; where there is none to
/// name, it says all that the base does.
pub fn draft(proposals: &[Proposal], base: &Profile, extends: Option<&str>, about: &[String]) -> String {
    let mut out = String::from(
        "# Rules that forkpoint profile infer proposes: what differed between runs that ought to be the same.\n",
    );
    out.push_str("# Read each before you trust it: what it overlooks is not seen in any later run.\n");
    for line in about {
        let line: String = line.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
        out.push_str(&format!("# {line}\n"));
    }
    match extends {
        Some(extends) => {
            let name = serde_json::to_string(extends).expect("a string is always JSON").replace('\u{7f}', "\\u007F");
            out.push_str(&format!("\nversion = 1\nextends = {name}\n"));
            out.push_str(&show_rules(&proposal::alone(proposals, base)));
        }
        None => {
            out.push('\n');
            out.push_str(&show(&proposal::laid_on(proposals, base)));
        }
    }
    out
}

/// One proposed rule as a profile would have it.
pub fn rule_text(proposal: &Proposal, base: &Profile) -> String {
    show_rules(&proposal::alone(std::slice::from_ref(proposal), base))
}
