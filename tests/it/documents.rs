//! What the documents say of the tree is true of it, and the commands that they show print what they say.

use std::path::Path;

use crate::support::rust_files;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A document without its fenced blocks, which hold commands and drawings.
fn prose(document: &str) -> String {
    let text = std::fs::read_to_string(Path::new(ROOT).join(document)).expect("read a document");
    // Every second piece lies between two fences.
    text.split("\n```").step_by(2).collect()
}

/// The paths that a text names in backticks, or links to. What a run's folder holds is a pattern or a
/// bare name, and is not of the tree.
fn paths(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    let of_the_tree = |token: &&str| token.contains('/') && !token.starts_with('/') || token.ends_with(".rs");
    let plain = |token: &&str| !token.contains(|c: char| c.is_whitespace() || "*\"=<>:".contains(c));
    let linked = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    quoted.filter(of_the_tree).chain(linked).filter(plain).collect()
}

/// A path stands as from the root; a file of the source may be called by its name alone, where the
/// sentence has named its room.
fn exists(path: &str) -> bool {
    let by_name = || rust_files(&Path::new(ROOT).join("src")).iter().any(|file| file.ends_with(path));
    Path::new(ROOT).join(path).exists() || !path.contains('/') && by_name()
}

#[test]
fn every_path_that_a_document_names_exists() {
    for (document, at_least) in [("ARCHITECTURE.md", 30), ("CONTRIBUTING.md", 3), ("README.md", 5)] {
        let text = prose(document);
        let named = paths(&text);
        assert!(named.len() >= at_least, "{document}: the test has found {named:?} only");
        let gone: Vec<&&str> = named.iter().filter(|path| !exists(path)).collect();
        assert!(gone.is_empty(), "{document} names what is not there: {gone:?}");
    }
}

#[test]
fn a_path_that_is_not_there_is_told_from_one_that_is() {
    let text = "`src/gone.rs`, `gone.rs`, `class.rs`, [docs](docs/gone.md), `plots/*.svg`, `/metrics`, `40/s or so`";
    let (there, gone): (Vec<&str>, Vec<&str>) = paths(text).into_iter().partition(|path| exists(path));
    assert_eq!((there, gone), (vec!["class.rs"], vec!["src/gone.rs", "gone.rs", "docs/gone.md"]));
}

/// Every room has its row in the map.
#[test]
fn the_code_map_names_every_room() {
    let text = prose("ARCHITECTURE.md");
    for entry in std::fs::read_dir(Path::new(ROOT).join("src")).expect("read the source") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a plain name");
        let row = if entry.path().is_dir() { format!("| `src/{name}/` |") } else { format!("| `src/{name}` |") };
        assert!(text.contains(&row) || matches!(name.as_str(), "lib.rs" | "main.rs"), "no row for {name}");
    }
}

/// The commands of a document's `console` blocks with what they print: lines behind "$ ", and those that follow.
#[cfg(unix)]
fn commands(document: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for block in document.split("\n```console\n").skip(1) {
        for line in block.split("\n```").next().unwrap_or_default().lines() {
            match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push((command.to_owned(), String::new())),
                (None, Some((_, output))) => *output += &format!("{line}\n"),
                (None, None) => panic!("a block begins with what nobody printed: {line}"),
            }
        }
    }
    commands
}

/// What each command prints, on stdout or stderr, one after the other in one shell and one folder.
#[cfg(unix)]
fn printed(commands: &[(String, String)]) -> Vec<String> {
    const END: &str = "---- that was a command ----\n";
    let work = tempfile::tempdir().expect("a folder");
    let program = Path::new(env!("CARGO_BIN_EXE_pushpull")).parent().expect("its folder");
    let script: String = commands.iter().map(|(command, _)| format!("{command}\nprintf '%s' '{END}'\n")).collect();
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &format!("exec 2>&1\nPATH=$PROGRAMS:$PATH\n{script}")]);
    shell.current_dir(work.path()).env("PROGRAMS", program);
    let output = shell.output().expect("a shell");
    let text = String::from_utf8(output.stdout).expect("text");
    let mut printed: Vec<String> = text.split(END).map(str::to_owned).collect();
    assert_eq!(printed.pop().as_deref(), Some(""), "the shell has ended early: {text}");
    printed
}

#[cfg(unix)]
#[test]
fn the_commands_of_the_page_on_plain_hashes_print_what_it_says() {
    let document = std::fs::read_to_string(Path::new(ROOT).join("docs/plain-hash.md")).expect("read it");
    let commands = commands(&document);
    assert!(commands.len() > 15, "{commands:?}");
    for ((command, said), printed) in commands.iter().zip(printed(&commands)) {
        assert_eq!(printed, *said, "$ {command}");
    }
}

#[cfg(unix)]
#[test]
fn a_command_that_prints_something_else_is_told() {
    let commands = commands("text\n```console\n$ a=1\n$ echo $a\n2\n$ no-such-command-9\n```\n");
    assert_eq!(commands[1], ("echo $a".to_owned(), "2\n".to_owned()));
    let printed = printed(&commands);
    assert!(printed[0].is_empty() && printed[1] == "1\n" && printed[2].contains("not found"), "{printed:?}");
}
