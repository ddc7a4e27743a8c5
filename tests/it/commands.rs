//! The parts on their own, and the commands around a run.

use crate::support::{pushpull, run};

#[test]
fn every_embedded_scenario_is_listed_with_its_question_and_can_be_shown() {
    let work = tempfile::tempdir().unwrap();
    let listed = pushpull(work.path()).arg("scenarios").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for scenario in pushpull::scenario::EMBEDDED {
        let line = listed.lines().find(|line| line.starts_with(scenario.name)).expect(scenario.name);
        assert!(line.trim_end().ends_with('?'), "no question: {line}");
        let shown = pushpull(work.path()).args(["scenarios", "show", scenario.name]).output().unwrap();
        assert_eq!(String::from_utf8(shown.stdout).unwrap(), scenario.text);
    }
    let names = pushpull(work.path()).args(["scenarios", "--names"]).output().unwrap();
    let names = String::from_utf8(names.stdout).unwrap();
    assert_eq!(
        names.lines().collect::<Vec<_>>(),
        pushpull::scenario::EMBEDDED.iter().map(|s| s.name).collect::<Vec<_>>()
    );
}

#[test]
fn the_readme_lists_every_scenario_with_its_question() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    for scenario in pushpull::scenario::EMBEDDED {
        let question = scenario.text.lines().next().and_then(|line| line.strip_prefix("# ")).expect(scenario.name);
        let row = format!("| `{}` | {question} |", scenario.name);
        assert!(readme.lines().any(|line| line == row), "README.md's table of scenarios lacks this row:\n{row}");
    }
}

#[test]
fn the_gallery_has_every_scenario() {
    let index = std::fs::read_to_string("reports/README.md").unwrap();
    let page = std::fs::read_to_string("reports/index.html").unwrap();
    for pushpull::scenario::Embedded { name, .. } in pushpull::scenario::EMBEDDED {
        let make = format!("cargo run --release -- gallery reports {name}");
        for file in ["report.html", "report.txt", "results.json"] {
            let path = std::path::Path::new("reports").join(name).join(file);
            assert!(path.metadata().is_ok_and(|meta| meta.len() > 0), "{} is missing: {make}", path.display());
        }
        assert!(index.contains(&format!("## {name}")) && page.contains(&format!("{name}/report.html")), "{make}");
    }
    let files = walk(std::path::Path::new("reports"));
    let bytes: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!(bytes < 12_000_000, "the gallery has {bytes} bytes");
}

#[test]
fn the_schema_is_json_and_knows_every_fault() {
    let work = tempfile::tempdir().unwrap();
    let output = pushpull(work.path()).arg("schema").output().unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = schema.to_string();
    for pushpull::fault::Kind { name, .. } in pushpull::fault::FaultKind::TABLE {
        assert!(text.contains(&format!("\"{name}\"")), "{name}");
    }
}

/// What of `value` the schema does not know: keys, and words of an enumeration.
fn unknown_to(
    schema: &serde_json::Value,
    at: &str,
    here: &serde_json::Value,
    value: &serde_json::Value,
) -> Vec<String> {
    let resolve = |here: &serde_json::Value| match here["$ref"].as_str() {
        Some(path) => schema.pointer(&path[1..]).expect("a definition").clone(),
        None => here.clone(),
    };
    let mut here = resolve(here);
    // Of several forms, the one of this kind of value; `null` is what is left out.
    if let Some(forms) = here["anyOf"].as_array().cloned() {
        let kind = match value {
            serde_json::Value::Object(_) => "object",
            serde_json::Value::Array(_) => "array",
            _ => "string",
        };
        here =
            forms.iter().map(resolve).find(|form| form["type"] == kind || !form["anyOf"].is_null()).unwrap_or_default();
        if !here["anyOf"].is_null() {
            return unknown_to(schema, at, &here, value);
        }
    }
    match value {
        serde_json::Value::Object(table) => {
            let unknown = |(key, value): (&String, &serde_json::Value)| {
                let at = format!("{at}.{key}");
                match (&here["properties"][key], &here["additionalProperties"]) {
                    (serde_json::Value::Null, more) if !more.is_object() => vec![at],
                    (serde_json::Value::Null, more) => unknown_to(schema, &at, more, value),
                    (known, _) => unknown_to(schema, &at, known, value),
                }
            };
            table.iter().flat_map(unknown).collect()
        }
        serde_json::Value::Array(all) => {
            all.iter().flat_map(|one| unknown_to(schema, at, &here["items"], one)).collect()
        }
        word => match here["enum"].as_array().or(here["oneOf"].as_array()) {
            Some(words) if !words.iter().any(|known| known == word || &known["const"] == word) => {
                vec![format!("{at} = {word}")]
            }
            _ => Vec::new(),
        },
    }
}

#[test]
fn the_schema_of_profiles_knows_every_profile_and_not_what_is_wrong() {
    let output = pushpull(std::path::Path::new(".")).args(["schema", "--profile"]).output().unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let unknown = |text: &str| {
        let table: toml::Table = text.parse().expect("TOML");
        unknown_to(&schema, "", &schema, &serde_json::to_value(table).unwrap())
    };
    for one in pushpull::profile::PROFILES {
        assert_eq!(unknown(one.text), Vec::<String>::new(), "{}", one.name);
    }
    let wrong = "nam = 'x'\n[signature]\nalgorithm = 'md5'\nkey = { form = 'rot13' }\n[delivery]\nname = 'x'\n\
                 auto_disable = { failure = 1 }\n[[source]]\nconfidence = 'rumour'\n";
    assert_eq!(
        unknown(wrong),
        [
            ".delivery.auto_disable.failure",
            ".delivery.name",
            ".nam",
            ".signature.algorithm = \"md5\"",
            ".signature.key.form = \"rot13\"",
            ".source.confidence = \"rumour\""
        ]
    );
}

#[test]
fn a_run_can_be_explained_and_judged_again_from_its_folder() {
    let scenario = r#"
        title    = "small"
        duration = "1s"
        drain    = "10s"
        [workload]
        arrivals = { kind = "constant", rate = "20/s" }
        [[provider]]
        retry = ["50ms", "100ms"]
        [[consumer]]
        name = "webhook"
        kind = "webhook"
        [[fault]]
        kind  = "drop-ack"
        event = 3
        attempts = [1]
    "#;
    let (run, work) = run(scenario, &[]);
    let explain = |args: &[&str]| {
        let output = pushpull(work.path()).arg("explain").arg("out").args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let story = explain(&["3"]);
    for word in ["emitted", "drop-ack", "attempt 2", "duplicate"] {
        assert!(story.contains(word), "no {word:?} in\n{story}");
    }
    assert!(!explain(&[]).is_empty());

    std::fs::remove_file(run.dir.join("results.json")).unwrap();
    let again = pushpull(work.path()).args(["judge", "out"]).output().unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let mut results: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.dir.join("results.json")).unwrap()).unwrap();
    // Judging takes as long as it takes; everything else is the run's.
    let mut first = run.results.clone();
    for judged in [&mut results, &mut first] {
        let took = judged["runs"][0]["judge_cpu_s"].take();
        assert!(took.as_f64().is_some_and(|seconds| seconds >= 0.0), "{took}");
    }
    assert_eq!(results, first, "judged again, the verdict is the same");
}

#[test]
fn a_run_leaves_a_report_whose_parts_are_all_there() {
    let (run, _work) =
        run(&std::fs::read_to_string("scenarios/quickstart.toml").unwrap().replace("\"12s\"", "\"2s\""), &[]);
    for file in ["plan.json", "results.json", "report.html", "consumers.csv", "records.jsonl"] {
        assert!(run.dir.join(file).metadata().is_ok_and(|meta| meta.len() > 0), "{file}");
    }
    let html = std::fs::read_to_string(run.dir.join("report.html")).unwrap();
    assert!(html.matches("<svg").count() >= 4, "the pictures are in the page");
    assert!(!html.contains("http://") || !html.contains("src=\"http"), "nothing is loaded from elsewhere");
    assert!(!html.contains("whsec_"), "no secret in a report");
    let secrets = walk(&run.dir)
        .into_iter()
        .filter(|file| std::fs::read(file).is_ok_and(|bytes| bytes.windows(6).any(|window| window == b"whsec_")));
    assert_eq!(secrets.count(), 0, "no secret in any file of a run");
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}
