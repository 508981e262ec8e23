//! The actions that stand for the functions of a trace: `actions.toml` and the code beside it, ours or the user's own.
//! Owns the manifest's schema and its messages; must never know the trace.
//!
//! ```toml
//! [[action]]
//! name = "matmul"
//! file = "matmul.py"          # beside the manifest; a .zip is sent as OpenWhisk's clients send one
//! what = "multiplies two random matrices"
//! image = "plain"             # or ai, ai-video: which of the python images it needs
//! memory = "64 MiB"           # least memory of a container
//! run = "120 ms"              # what a warm run takes, roughly, with these arguments
//! init = "30 ms"              # what loading it takes, roughly
//! args = { n = 200 }          # optional
//! main = "main"               # optional: the entry function
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use crate::error::{Diagnostic, Error, Kind};
use crate::memory::Memory;
use crate::suggest::nearest;
use crate::time::Span;

/// The name of a manifest.
pub const MANIFEST: &str = "actions.toml";

/// The action that takes whatever time it is told to.
pub use crate::eventlog::record::LOOKBUSY;

/// Which of the python images an action needs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Flavour {
    /// The standard library and little more.
    Plain,
    /// Libraries for inference on numbers, text and pictures.
    Ai,
    /// The same and what decodes video.
    AiVideo,
}

impl Flavour {
    /// All of them, as written.
    pub const ALL: [(&'static str, Flavour); 3] =
        [("plain", Flavour::Plain), ("ai", Flavour::Ai), ("ai-video", Flavour::AiVideo)];

    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Flavour::Plain => "plain",
            Flavour::Ai => "ai",
            Flavour::AiVideo => "ai-video",
        }
    }

    /// The runtime kind in which functions go that need it; `None`: they stay in the trace's.
    pub fn kind(self) -> Option<&'static str> {
        match self {
            Flavour::Plain => None,
            Flavour::Ai => Some("python:ai"),
            Flavour::AiVideo => Some("python:ai-video"),
        }
    }

    /// Our image of it.
    pub fn image(self) -> &'static str {
        match self {
            Flavour::Plain => "faassim-python:plain",
            Flavour::Ai => "faassim-python:ai",
            Flavour::AiVideo => "faassim-python:ai-video",
        }
    }
}

/// An action that functions can be given.
#[derive(Clone, PartialEq, Debug)]
pub struct ActionSpec {
    /// Its name.
    pub name: String,
    /// One line.
    pub what: String,
    /// What it needs.
    pub flavour: Flavour,
    /// Least memory of a container.
    pub memory: Memory,
    /// What a warm run takes, roughly.
    pub run: Span,
    /// What loading it takes, roughly.
    pub init: Span,
    /// Its usual arguments.
    pub args: Map<String, Value>,
    /// The entry function.
    pub main: String,
    /// The source, or base64 of a zip.
    pub code: String,
    /// Whether it is the latter.
    pub binary: bool,
}

/// The actions of a folder, in the order of the manifest.
#[derive(Clone, PartialEq, Debug)]
pub struct Actions {
    /// The manifest, as seen from the current directory.
    pub manifest: PathBuf,
    /// What there is.
    pub all: Vec<ActionSpec>,
}

impl Actions {
    /// Where a scenario's actions are: where it says, else in `../actions` as seen from its file, else in `actions`
    /// of the current directory.
    ///
    /// # Errors
    /// There is no manifest.
    pub fn folder(said: Option<&Path>, scenario: &Path) -> Result<PathBuf, Error> {
        Actions::folder_from(said, scenario, Path::new("actions"))
    }

    /// The same with another last resort.
    fn folder_from(said: Option<&Path>, scenario: &Path, here: &Path) -> Result<PathBuf, Error> {
        let there = |folder: &Path| folder.join(MANIFEST).is_file();
        if let Some(folder) = said {
            if there(folder) {
                return Ok(folder.to_owned());
            }
            let missing =
                Diagnostic::new(format!("there is no {MANIFEST} in {} (live.actions)", folder.display()));
            let help = "name the folder of the actions; the path starts from the folder of the scenario";
            return Err(Error::usage(missing.at(scenario.display().to_string()).help(help)));
        }
        let beside = scenario.parent().unwrap_or(Path::new("")).join("../actions");
        [beside.as_path(), here].into_iter().find(|folder| there(folder)).map(Path::to_owned).ok_or_else(
            || {
                let message = format!(
                    "there are no actions: neither {} nor {} is there",
                    beside.join(MANIFEST).display(),
                    here.join(MANIFEST).display()
                );
                let help = "name their folder: add `actions = \"…\"` under [live]; \
                        those that come with faassim are in `actions` of its source";
                Error::usage(Diagnostic::new(message).at(scenario.display().to_string()).help(help))
            },
        )
    }

    /// Reads the manifest of a folder and the code it names.
    ///
    /// # Errors
    /// A usage error with everything that is wrong.
    pub fn read(folder: &Path) -> Result<Actions, Error> {
        let manifest = folder.join(MANIFEST);
        let place = manifest.display().to_string();
        let text = fs::read_to_string(&manifest).map_err(|error| {
            Error::usage(Diagnostic::new(format!("cannot be read: {error}")).at(place.clone()))
        })?;
        let raw: Manifest = toml::from_str(&text).map_err(|error| {
            let line = line_of(&text, error.span().unwrap_or_default().start);
            Error::usage(Diagnostic::new(error.message().to_owned()).at(format!("{place}:{line}")))
        })?;
        let mut found = Reader { folder, place: &place, text: &text, problems: Vec::new() };
        let mut all: Vec<ActionSpec> = Vec::new();
        for raw in raw.action {
            if all.iter().any(|action| action.name == *raw.name.get_ref()) {
                let message = format!("there are two actions `{}`", raw.name.get_ref());
                found.refuse(&raw.name, Diagnostic::new(message).help("name one of them otherwise"));
            }
            all.extend(found.action(raw));
        }
        if all.is_empty() && found.problems.is_empty() {
            let none = Diagnostic::new("names no action").at(place.clone());
            found
                .problems
                .push(none.help("begin with [[action]] and name, file, what, image, memory, run, init"));
        }
        if !found.problems.is_empty() {
            return Err(Error::new(Kind::Usage, found.problems));
        }
        Ok(Actions { manifest, all })
    }

    /// The place of an action among [`Actions::all`].
    pub fn find(&self, name: &str) -> Option<usize> {
        self.all.iter().position(|action| action.name == name)
    }

    /// That there is no such action, as the rest of a message, and what to do about it.
    pub fn unknown(&self, name: &str) -> (String, String) {
        let names = || self.all.iter().map(|action| action.name.as_str());
        let help = match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("{} has: {}", self.manifest.display(), names().collect::<Vec<_>>().join(", ")),
        };
        (format!("there is no action `{name}`"), help)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    #[serde(default)]
    action: Vec<RawAction>,
}

/// An action as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAction {
    name: Spanned<String>,
    file: Spanned<String>,
    what: String,
    image: Spanned<String>,
    memory: Spanned<String>,
    run: Spanned<String>,
    init: Spanned<String>,
    #[serde(default)]
    args: Map<String, Value>,
    main: Option<String>,
}

struct Reader<'a> {
    folder: &'a Path,
    place: &'a str,
    text: &'a str,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn refuse<T>(&mut self, at: &Spanned<T>, problem: Diagnostic) {
        let line = line_of(self.text, at.span().start);
        self.problems.push(problem.at(format!("{}:{line}", self.place)));
    }

    /// The action, or nothing and why.
    fn action(&mut self, raw: RawAction) -> Option<ActionSpec> {
        if raw.name.get_ref().trim().is_empty() {
            self.refuse(&raw.name, Diagnostic::new("name: must not be empty"));
        }
        let flavour = self.flavour(&raw.image);
        let memory = self.quantity::<Memory>("memory", &raw.memory);
        let run = self.quantity::<Span>("run", &raw.run);
        let init = self.quantity::<Span>("init", &raw.init);
        let (code, binary) = self.code(&raw.file)?;
        Some(ActionSpec {
            name: raw.name.into_inner(),
            what: raw.what,
            flavour: flavour?,
            memory: memory?,
            run: run?,
            init: init?,
            args: raw.args,
            main: raw.main.unwrap_or_else(|| "main".to_owned()),
            code,
            binary,
        })
    }

    fn flavour(&mut self, written: &Spanned<String>) -> Option<Flavour> {
        let names = || Flavour::ALL.iter().map(|(name, _)| *name);
        let found = Flavour::ALL.iter().find(|(name, _)| name == written.get_ref());
        if found.is_none() {
            let listed: Vec<String> = names().map(|name| format!("`{name}`")).collect();
            let message = format!("image: `{}` is not one of {}", written.get_ref(), listed.join(", "));
            let problem = Diagnostic::new(message);
            let problem = match nearest(written.get_ref(), names()) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => {
                    problem.help("images of your own are named by kind, under [live.images] of the scenario")
                }
            };
            self.refuse(written, problem);
        }
        found.map(|(_, flavour)| *flavour)
    }

    fn quantity<T: std::str::FromStr<Err = String>>(
        &mut self,
        name: &str,
        written: &Spanned<String>,
    ) -> Option<T> {
        let read = written.get_ref().parse();
        if let Err(fault) = &read {
            self.refuse(written, Diagnostic::new(format!("{name}: {fault}")));
        }
        read.ok()
    }

    /// The code as it is sent, and whether that is base64 of a zip.
    fn code(&mut self, file: &Spanned<String>) -> Option<(String, bool)> {
        let path = self.folder.join(file.get_ref());
        let read = fs::read(&path).and_then(|bytes| {
            if path.extension().is_some_and(|ending| ending == "zip") {
                return Ok((STANDARD.encode(bytes), true));
            }
            let text = String::from_utf8(bytes);
            text.map(|text| (text, false)).map_err(|_| io::Error::other("it is not UTF-8 text, nor a .zip"))
        });
        if let Err(error) = &read {
            let message = format!("file: {} cannot be read: {error}", path.display());
            self.refuse(file, Diagnostic::new(message).help("paths start from the folder of the manifest"));
        }
        read.ok()
    }
}

/// The line of a byte, counted from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a manifest, `a.py` and `b.zip`.
    fn folder(manifest: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in [
            (MANIFEST, manifest.as_bytes()),
            ("a.py", b"def main(args):\n    return args\n"),
            ("b.zip", b"PK\x03\xff"),
        ] {
            fs::write(folder.path().join(name), bytes).expect("a file");
        }
        folder
    }

    const A: &str = "[[action]]\nname = \"a\"\nfile = \"a.py\"\nwhat = \"echo\"\nimage = \"plain\"\nmemory = \"48 MiB\"\n\
                     run = \"1.5 ms\"\ninit = \"2 ms\"\n";

    #[test]
    fn what_is_written_is_read() {
        let more = "args = { n = 3, deep = { x = [1.5, \"y\"] } }\n[[action]]\nname = \"b\"\nfile = \"b.zip\"\n\
                    what = \"zip\"\nimage = \"ai-video\"\nmemory = \"1 GiB\"\nrun = \"2 s\"\ninit = \"1 s\"\nmain = \"go\"\n";
        let folder = folder(&format!("{A}{more}"));
        let actions = Actions::read(folder.path()).unwrap_or_else(|error| panic!("{error}"));
        let [a, b] = actions.all.as_slice() else { panic!("two") };
        assert_eq!(
            (&*a.name, a.flavour, a.memory, a.run, a.init),
            ("a", Flavour::Plain, Memory(48), Span(1_500), Span(2_000))
        );
        assert_eq!((&*a.main, a.binary, &*a.code), ("main", false, "def main(args):\n    return args\n"));
        assert_eq!(Value::Object(a.args.clone()), serde_json::json!({"n": 3, "deep": {"x": [1.5, "y"]}}));
        assert_eq!((&*b.main, b.binary, &*b.code, b.flavour), ("go", true, "UEsD/w==", Flavour::AiVideo));
        assert_eq!((actions.find("b"), actions.find("c")), (Some(1), None));
    }

    #[test]
    fn faults_are_told_with_their_lines() {
        for (manifest, said) in [
            (
                "",
                "actions.toml: names no action\n  help: begin with [[action]] and name, file, what, image, memory, run, init",
            ),
            ("[[action]\n", "actions.toml:1: unclosed"),
            (
                &format!("{A}colour = 3\n"),
                "actions.toml:9: unknown field `colour`, expected one of `name`, `file`,",
            ),
            ("[[action]]\nname = \"a\"\n", "actions.toml:1: missing field `file`"),
            (&A.replace("\"48 MiB\"", "48"), "actions.toml:6: invalid type: integer `48`, expected a string"),
            (&A.replace("48 MiB", "48"), "actions.toml:6: memory: `48` has no unit"),
            (&A.replace("1.5 ms", "soon"), "actions.toml:7: run: `soon` does not start with a number"),
            (
                &A.replace("plain", "plian"),
                "actions.toml:5: image: `plian` is not one of `plain`, `ai`, `ai-video`\n  help: did you mean `plain`?",
            ),
            (&A.replace("a.py", "c.py"), "c.py cannot be read: No such file"),
            (
                &format!("{A}{A}"),
                "actions.toml:10: there are two actions `a`\n  help: name one of them otherwise",
            ),
            (&A.replace("\"a\"", "\" \""), "actions.toml:2: name: must not be empty"),
        ] {
            let folder = folder(manifest);
            let error = Actions::read(folder.path()).expect_err(said);
            let text = error.to_string();
            assert!(text.contains(said), "{said}\nin\n{text}");
            assert_eq!(error.exit_code(), 2);
        }
    }

    #[test]
    fn the_usual_places_are_told() {
        let folder = folder(A);
        let scenario = folder.path().join("scenarios/s.toml");
        let here = Path::new("nowhere");
        let error = Actions::folder_from(None, &scenario, here).expect_err("nothing there").to_string();
        assert!(
            error.contains("scenarios/../actions/actions.toml nor nowhere/actions.toml is there"),
            "{error}"
        );
        assert_eq!(
            Actions::folder_from(None, &scenario, folder.path()),
            Ok(folder.path().to_owned()),
            "the last resort"
        );
        fs::create_dir_all(folder.path().join("scenarios")).expect("a folder");
        fs::create_dir_all(folder.path().join("actions")).expect("a folder");
        fs::write(folder.path().join("actions").join(MANIFEST), A).expect("a file");
        assert_eq!(Actions::folder(None, &scenario), Ok(folder.path().join("scenarios/../actions")));
        assert_eq!(Actions::folder(Some(folder.path()), &scenario), Ok(folder.path().to_owned()));
        let error = Actions::folder(Some(Path::new("/none")), &scenario).expect_err("none").to_string();
        assert!(error.contains("there is no actions.toml in /none (live.actions)"), "{error}");
    }

    #[test]
    fn unknown_actions_are_suggested() {
        let folder = folder(A);
        let actions = Actions::read(folder.path()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(actions.unknown("A").1, "did you mean `a`?");
        assert!(actions.unknown("matmul").1.ends_with("actions.toml has: a"));
    }
}
