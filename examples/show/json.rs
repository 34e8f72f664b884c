//! The grammar of JSON, production by production: `check` on every case of `corpus/json/grammar`.

use std::path::Path;

use super::grammar::{Case, Grammar, Says, judged, lay, logs};
use super::program::watched;
use super::{Hindered, Program, Room, Shown, Table};

pub fn show(program: &Program, room: &Room, folder: &Path) -> Shown {
    let grammar = Grammar::load(folder)?;
    let cases = grammar.cases()?;
    let mut wrong = Vec::new();
    let mut decided: Vec<(&Case, bool)> = Vec::new();
    for log in logs(&cases) {
        let says = check(program, room, &log, &mut wrong)?;
        for (case, says) in log.into_iter().zip(says) {
            if says != case.check {
                let story = grammar.story(&case.of);
                wrong.push(format!("{}: {} as a {:?}: check {says:?}; {story}", case.of, case.shown, case.place));
            }
            decided.push((case, says == case.check));
        }
    }
    let right = |name: &str| {
        let own = || decided.iter().filter(|(case, _)| case.of == name);
        format!("{} of {}", own().filter(|(_, right)| *right).count(), own().count())
    };
    let mut table = Table::new(&["production", "accepting", "refusing", "decided right by check", "rule"]);
    for production in &grammar.productions {
        let [accepts, refuses] = [&production.accepts, &production.refuses].map(|texts| texts.len().to_string());
        table.row([production.name.clone(), accepts, refuses, right(&production.name), production.rule.clone()]);
    }
    table.print();
    let mut table = Table::new(&["decision", "texts", "the grammar", "check", "decided right by check"]);
    for decision in &grammar.decisions {
        let [by_grammar, by_check] =
            [decision.grammar, decision.check].map(|says| format!("{says:?}").to_ascii_lowercase());
        let texts = decision.texts.len().to_string();
        table.row([decision.name.clone(), texts, by_grammar, by_check, right(&decision.name)]);
    }
    table.print();
    let texts = grammar.productions.iter().map(|of| of.accepts.len() + of.refuses.len()).sum::<usize>();
    let beyond = grammar.decisions.iter().map(|of| of.texts.len()).sum::<usize>();
    println!(
        "{} productions, {texts} texts; {} decisions, {beyond} texts; each text of a production as a value of a line and as a line: {} places, {} decided right",
        grammar.productions.len(),
        grammar.decisions.len(),
        decided.len(),
        decided.iter().filter(|(_, right)| *right).count(),
    );
    Ok(wrong)
}

/// What the program says of the cases of one log; its exit code must agree.
fn check(program: &Program, room: &Room, log: &[&Case], wrong: &mut Vec<String>) -> Result<Vec<Says>, Hindered> {
    let laid = lay(log);
    room.write("cases.jsonl", &laid.log)?;
    let mut command = program.command(["check", "--profile", "generic", "--limit", "all", "cases.jsonl"]);
    let run = watched(command.args(&log[0].flags).current_dir(room.path(".")))?;
    let says = judged(&laid, "cases.jsonl", &String::from_utf8_lossy(&run.stdout))?;
    let code = if says.contains(&Says::Refuses) { 2 } else { 0 };
    if run.code != Some(code) {
        let of = if log.len() == 1 { &log[0].shown } else { "all cases" };
        wrong.push(format!("{of}: exit {}, not {code}; {}", run.ended(), run.stderr.trim()));
    }
    Ok(says)
}
