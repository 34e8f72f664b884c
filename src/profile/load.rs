//! Profiles by name or from a file.

use std::path::Path;

use super::document;
use super::fault::ProfileError;
use super::layers::{load_layered, parse_layered};
use super::rules::Profile;

/// The built-in profiles: their names and files, in the order of `profile list`.
pub(super) const BUILTINS: [(&str, &str); 3] = [
    ("schema-v1", include_str!("builtin/schema-v1.toml")),
    ("generic", include_str!("builtin/generic.toml")),
    ("episode", include_str!("builtin/episode.toml")),
];

/// The built-in profile of that name.
pub fn builtin(name: &str) -> Option<Profile> {
    let (file, text) = BUILTINS.iter().find(|(known, _)| *known == name)?;
    Some(document::read(text, file, None).expect("a built-in profile is sound, which a test keeps"))
}

/// All built-in profiles, in the order of `profile list`.
pub fn builtins() -> Vec<Profile> {
    BUILTINS.iter().filter_map(|(name, _)| builtin(name)).collect()
}

/// The built-in profile of that name, or else the one in that file. A file that is named like a
/// built-in is given as `./generic`. What the file extends lies below it.
///
/// # Errors
/// Neither a built-in nor a file, a file that cannot be read, or one that is no sound profile.
pub fn load(name_or_path: &str) -> Result<Profile, ProfileError> {
    Ok(load_layered(name_or_path)?.profile)
}

/// The profile that `text` says; `file_name` is for its errors, and its name if it gives itself none.
///
/// # Errors
/// The first thing that is wrong with the text.
pub fn parse(text: &str, file_name: &str) -> Result<Profile, ProfileError> {
    Ok(parse_layered(text, file_name)?.profile)
}

/// Whether a word that is no built-in profile's name does not look like a file either.
pub(super) fn no_such_profile(name: &str, path: &Path) -> bool {
    !looks_like_a_path(name) && !path.exists()
}

fn looks_like_a_path(text: &str) -> bool {
    text.contains(['/', '\\']) || text.ends_with(".toml")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Pointer;
    use crate::profile::rules::*;

    fn pointer(text: &str) -> Pointer {
        Pointer::parse(text).unwrap()
    }

    #[test]
    fn schema_v1_holds_the_rules_of_behaviour() {
        let profile = builtin("schema-v1").unwrap();
        assert_eq!(profile.name, "schema-v1");
        assert!(profile.null_equals_missing);
        assert_eq!(profile.roles.thread, [pointer("/tid")]);
        assert_eq!(profile.roles.ordinal, Some(pointer("/tid_event_idx")));
        assert_eq!(profile.roles.kind, Some(pointer("/kind")));
        assert_eq!(profile.roles.payload, PayloadRole::At(pointer("/payload")));
        assert_eq!(profile.roles.label, Some(pointer("/engine")));
        assert_eq!(profile.roles.end.as_deref(), Some("thread.exit"));
        let marked = NondeterministicRole { path: pointer("/deterministic"), equals: false };
        assert_eq!(profile.roles.nondeterministic, Some(marked));
        let header = Header { kind: "schema_version".into(), version_path: pointer("/schema_version"), version: 1 };
        assert_eq!(profile.header, Some(header));
        let values = [NULL_EQUALS_MISSING, "raw-handle", "wait-duration", "allocator-returns"];
        let objects = ["heap-addresses", "handles", "thread-ids"];
        assert_eq!(profile.rule_names(), [&values[..], &objects].concat());
        assert!(profile.identity.iter().all(|rule| !rule.release.is_empty() && !rule.uses.is_empty()));
        let [addresses, status] = &profile.allocator[0].functions[..] else { panic!("two groups of functions") };
        assert_eq!(addresses.names.len(), 4);
        assert_eq!(addresses.failure, Failure { null: true, values: vec![0], ..Failure::default() });
        let range = FailureRange { from: 0xC000_0001, to: 0xC000_FFFF, except_multiples_of: 0x1000 };
        assert_eq!(status.names, ["NtAllocateVirtualMemory"]);
        assert_eq!(status.failure, Failure { negative: true, ranges: vec![range], ..Failure::default() });
    }

    #[test]
    fn generic_overlooks_nothing_and_names_no_role() {
        let profile = builtin("generic").unwrap();
        assert_eq!(profile.roles, Roles::default());
        assert_eq!(profile.rule_names(), [NULL_EQUALS_MISSING]);
        assert!(!profile.null_equals_missing && profile.header.is_none() && profile.summaries.is_empty());
    }

    #[test]
    fn all_built_in_profiles_are_listed_under_their_own_names() {
        let names: Vec<String> = builtins().into_iter().map(|profile| profile.name).collect();
        assert_eq!(names, ["schema-v1", "generic", "episode"]);
        assert!(builtins().iter().all(|profile| !profile.description.is_empty()));
    }

    #[test]
    fn a_slip_in_a_name_is_answered_with_the_name() {
        let error = load("shema-v1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no profile \"shema-v1\" (did you mean schema-v1?); built in are schema-v1, generic, \
             episode; a file is given by its path"
        );
    }

    #[test]
    fn a_missing_file_is_told_by_its_path() {
        let text = load("/no/such/my.toml").unwrap_err().to_string();
        assert!(text.starts_with("cannot read the profile /no/such/my.toml: "), "{text}");
    }

    #[test]
    fn a_file_is_loaded_and_named_after_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, "\u{feff}version = 1\r\n").unwrap();
        let profile = load(path.to_str().unwrap()).unwrap();
        assert_eq!(profile.name, "mine");
        assert_eq!(profile.roles, Roles::default());
    }
}
