//! `pushpull run` of several scenarios: a line for each as it ends, and what they come to together.

use std::{collections::BTreeSet, io::IsTerminal, path::Path};

use anyhow::bail;

use super::{
    Exit, folder,
    folder::Folder,
    job::{Job, Judged},
    many::How,
    print,
};

/// Runs them in turn, and tells what each came to. With `out`, each into the folder of its name there.
pub(super) fn run(jobs: &[Job], out: Option<&Path>, how: How<'_>, json: bool) -> anyhow::Result<(Exit, Vec<Judged>)> {
    if out.is_some() {
        refuse_twins(jobs)?;
    }
    let whole = out.map(Folder::create).transpose()?;
    let mut worst = Exit::Good;
    let (mut failed, mut all) = (Vec::new(), Vec::new());
    let widest = jobs.iter().map(|job| job.first().name.len()).max().unwrap_or(0);
    for (no, job) in jobs.iter().enumerate() {
        let name = &job.first().name;
        let path = whole.as_ref().map_or_else(|| folder::of_its_own(job.first()), |whole| whole.path.join(name));
        announce(&format!("[{}/{}] {name}", no + 1, jobs.len()));
        let judged = job.run(&Folder::create(&path)?, how);
        announce("");
        let judged = judged?;
        if json {
            judged.show(&path, true)?;
        } else {
            print(&format!("{name:widest$}  {}\n", judged.line()))?;
            for line in judged.failed() {
                print(&format!("{:widest$}    FAILED {line}\n", ""))?;
            }
        }
        if judged.exit() != Exit::Good {
            failed.push(name.as_str());
        }
        worst = worst.max(judged.exit());
        all.push(judged);
    }
    if !json {
        print(&summary(jobs.len(), &failed))?;
    }
    Ok((worst, all))
}

fn summary(n: usize, failed: &[&str]) -> String {
    match failed.len() {
        0 => format!("\nPASS: all {n} scenarios\n"),
        m => format!("\nFAIL: {m} of {n} scenarios: {}\n", failed.join(", ")),
    }
}

/// Two files of one name would write into one folder.
fn refuse_twins(jobs: &[Job]) -> anyhow::Result<()> {
    let mut names = BTreeSet::new();
    for job in jobs {
        let name = &job.first().name;
        if !names.insert(name) {
            bail!("--out: two scenarios are called {name}\n  fix: leave --out out, or rename one of the files");
        }
    }
    Ok(())
}

/// Which one is running, on stderr and only where a person looks; each takes the place of the last.
fn announce(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\u{1b}[2K{text}");
    }
}
