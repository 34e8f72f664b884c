//! `forkpoint profile`: list, show, check.

mod common;

use common::{Folder, forkpoint, text};

#[test]
fn the_list_names_what_can_be_given() {
    let listed = text(&forkpoint(["profile", "list"]).output().unwrap().stdout);
    assert!(listed.starts_with("schema-v1  ") && listed.contains("\ngeneric    "), "{listed}");
}

#[test]
fn what_is_shown_is_a_sound_file_with_the_same_rules() {
    let folder = Folder::new();
    for words in
        ["", "generic", "generic --thread tid --ordinal seq --ignore time --mask flags=0x30", "--profile generic"]
    {
        let words: Vec<&str> = words.split_whitespace().collect();
        let shown = forkpoint(["profile", "show"]).args(&words).output().unwrap();
        assert_eq!(shown.status.code(), Some(0), "{words:?}: {}", text(&shown.stderr));
        let file = folder.file("shown.toml", &shown.stdout);
        let again = forkpoint(["profile", "show"]).arg(&file).output().unwrap();
        assert_eq!(text(&again.stdout), text(&shown.stdout), "{words:?}");
        let checked = forkpoint(["profile", "check"]).arg(&file).output().unwrap();
        assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
        assert!(text(&checked.stdout).contains(": sound: profile "), "{}", text(&checked.stdout));
    }
}

#[test]
fn a_bad_profile_is_shown_with_its_place() {
    let folder = Folder::new();
    let file = folder.file("bad.toml", "version = 1\nname = \"x\"\nrolls = 3\n");
    for words in [["profile", "check"], ["profile", "show"]] {
        let output = forkpoint(words).arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let told = text(&output.stderr);
        assert!(told.contains("rolls") && told.contains('3') && told.contains('^'), "{told}");
    }
    let output = forkpoint(["profile", "show", "nonesuch"]).output().unwrap();
    assert!(text(&output.stderr).contains("there is no profile"), "{}", text(&output.stderr));
}
