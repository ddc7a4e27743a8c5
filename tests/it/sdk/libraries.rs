//! Gets the official libraries and asks them.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Lines, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// Headers by their names in lowercase.
pub type Headers = BTreeMap<String, String>;

/// Libraries of one language: how they are had, and who asks them.
pub struct Language {
    pub name: &'static str,
    /// The libraries, with their versions: nothing is installed again while this stays the same.
    pub wanted: (&'static str, &'static str),
    /// Installs what is wanted into a folder, which is there and holds the file above.
    pub install: fn(&Path) -> Command,
    /// Runs the questions, with the folder's libraries.
    pub ask: fn(&Path) -> Command,
}

pub const PYTHON: Language = Language {
    name: "Python",
    wanted: ("requirements.txt", include_str!("requirements.txt")),
    install: |folder| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
        pip.args(["--retries", "1", "--timeout", "30", "--requirement", "requirements.txt", "--target", "."]);
        pip.current_dir(folder);
        pip
    },
    ask: |folder| {
        let mut python = Command::new("python3");
        python.args(["-c", include_str!("ask.py")]).env("PYTHONPATH", folder);
        python
    },
};

pub const NODE: Language = Language {
    name: "Node",
    wanted: ("package.json", include_str!("package.json")),
    install: |folder| {
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries", "1"]);
        npm.current_dir(folder);
        npm
    },
    ask: |folder| {
        let mut node = Command::new("node");
        node.args(["--input-type=module", "--eval", include_str!("ask.mjs")]).current_dir(folder);
        node
    },
};

/// A process that answers questions.
pub struct Libraries {
    child: Child,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Libraries {
    /// The libraries of a language. Where they cannot be had it says so on stdout, past the test harness, which
    /// would swallow it; with `PUSHPULL_REQUIRE_SDKS` in the environment that is a failure.
    pub fn of(language: &Language) -> Option<Libraries> {
        let why = match had(language) {
            Ok(libraries) => return Some(libraries),
            Err(why) => why,
        };
        let name = language.name;
        assert!(
            std::env::var_os("PUSHPULL_REQUIRE_SDKS").is_none(),
            "the official {name} libraries are required, and cannot be had: {why}"
        );
        let line = format!("skipped: the official {name} libraries cannot be had: {why}\n");
        std::io::stdout().write_all(line.as_bytes()).expect("say that it was skipped");
        None
    }

    /// The headers that a library makes of this.
    pub fn sign(&mut self, library: &str, secret: &str, (id, time): (&str, u64), body: &[u8]) -> Headers {
        let question = json!({
            "do": "sign", "library": library, "secret": secret, "id": id, "time": time, "body": STANDARD.encode(body),
        });
        serde_json::from_value(self.ask(&question)["headers"].take()).expect("headers")
    }

    /// Whether a library takes it for genuine, or why not.
    pub fn verify(&mut self, library: &str, secret: &str, headers: &Headers, body: &[u8]) -> Result<(), String> {
        let question = json!({
            "do": "verify", "library": library, "secret": secret, "headers": headers, "body": STANDARD.encode(body),
        });
        let answer = self.ask(&question);
        match answer["genuine"].as_bool().expect("a verdict") {
            true => Ok(()),
            false => Err(answer["why"].as_str().expect("a reason").to_owned()),
        }
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.questions, "{question}").expect("ask");
        let line = self.answers.next().expect("an answer").expect("readable");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

impl Drop for Libraries {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The libraries, running. What one test run has installed the next one finds, and replaces where it does not run any
/// more: another Python, say.
fn had(language: &Language) -> Result<Libraries, String> {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk");
    let folder = all.join(language.name.to_lowercase());
    let (file, wanted) = language.wanted;
    let there = std::fs::read_to_string(folder.join(file)).is_ok_and(|there| there == wanted);
    if there && let Ok(libraries) = start((language.ask)(&folder)) {
        return Ok(libraries);
    }
    std::fs::create_dir_all(&all).map_err(|error| error.to_string())?;
    // Whoever is interrupted leaves nothing that looks like the whole.
    let part = tempfile::tempdir_in(&all).map_err(|error| error.to_string())?;
    std::fs::write(part.path().join(file), wanted).map_err(|error| error.to_string())?;
    install((language.install)(part.path()))?;
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::rename(part.keep(), &folder).map_err(|error| error.to_string())?;
    start((language.ask)(&folder))
}

fn install(mut command: Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing on stderr");
    Err(format!("{program}, {}: {last}", output.status))
}

fn start(mut command: Command) -> Result<Libraries, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    let questions = child.stdin.take().expect("its stdin");
    let answers = BufReader::new(child.stdout.take().expect("its stdout")).lines();
    let mut libraries = Libraries { child, questions, answers };
    match libraries.answers.next() {
        Some(Ok(line)) if line == "ready" => Ok(libraries),
        _ => Err(format!("{program} does not find them")),
    }
}
