//! The scenarios that repeat published results: what each file owes to its reader. Whether the figures
//! come out is `pushpull run scenarios/published/*.toml`.

use std::path::{Path, PathBuf};

use pushpull::{
    model::RunId,
    scenario::{LoadOptions, Plan, load_cases},
};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/published");
    let entries = std::fs::read_dir(folder).expect("the folder of published scenarios");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// Its plans: one per case, where it has cases.
fn plans(file: &Path) -> Vec<Plan> {
    let text = std::fs::read_to_string(file).expect("read the scenario");
    let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
    let options = LoadOptions {
        file: file.display().to_string(),
        dir: file.parent().expect("a folder").to_owned(),
        ..LoadOptions::new(&name, RunId::from_bits(1))
    };
    load_cases(&text, &options).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn each_names_its_source_what_it_leaves_out_and_what_it_expects() {
    let files = files();
    assert!(files.len() >= 10, "{files:?}");
    for plan in files.iter().flat_map(|file| plans(file)) {
        let name = &plan.name;
        let number =
            name.strip_prefix('s').and_then(|rest| rest.split('-').next()).and_then(|no| no.parse::<u32>().ok());
        assert!(number.is_some_and(|number| (1..=20).contains(&number)), "{name}: which result is it?");
        assert!(plan.published.contains("Left out:"), "{name}: what does it leave out?");
        assert!(plan.question.ends_with('?'), "{name}: {}", plan.question);
        assert!(!plan.expects.is_empty(), "{name} expects nothing");
    }
}
