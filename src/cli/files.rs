//! The files that a command line names: each output is a place of its own.

use std::path::{Path, PathBuf};

use super::output::plain;
use super::usage::Wrong;
use crate::io::{atomic, text_source};

/// Inputs and outputs of a command, each with the option that names it.
#[derive(Debug, Default)]
pub(crate) struct Files {
    inputs: Vec<(&'static str, PathBuf)>,
    outputs: Vec<(&'static str, PathBuf)>,
    /// Option of the input that an output may replace, and option of that output.
    replaceable: Option<(&'static str, &'static str)>,
}

impl Files {
    /// Adds an input.
    pub(super) fn input(&mut self, option: &'static str, path: &Path) {
        self.inputs.push((option, path.to_owned()));
    }

    /// Adds several inputs of one option.
    pub(super) fn inputs<P: AsRef<Path>>(
        &mut self,
        option: &'static str,
        paths: impl IntoIterator<Item = P>,
    ) {
        for path in paths {
            self.input(option, path.as_ref());
        }
    }

    /// Adds an output; what names standard output counts as `-`.
    pub(super) fn output(&mut self, option: &'static str, path: &Path) {
        self.outputs.push((option, plain(path)));
    }

    /// Adds files of a folder that is an output.
    ///
    /// # Errors
    /// A folder named like standard output.
    pub(super) fn folder(
        &mut self,
        option: &'static str,
        folder: &Path,
        names: &[&str],
    ) -> Result<(), Wrong> {
        if plain(folder) == Path::new("-") {
            return Err(Wrong::value(format!(
                "{option}: several files cannot go to standard output; give a folder"
            )));
        }
        for name in names {
            self.output(option, &folder.join(name));
        }
        Ok(())
    }

    /// Lets an output take the place of an input that is read before.
    pub(super) fn may_replace(&mut self, input: &'static str, output: &'static str) {
        self.replaceable = Some((input, output));
    }

    /// For a command that writes none of these outputs: standard output is free.
    pub(super) fn forget_standard_output(&mut self) {
        self.outputs.retain(|(_, path)| path != Path::new("-"));
    }

    /// Refuses standard input for several inputs, one place for two outputs, and an output in the
    /// place of an input. Devices and pipes are no places: what is written there replaces nothing.
    ///
    /// # Errors
    /// As said.
    pub(super) fn check(&self) -> Result<(), Wrong> {
        let mut of_standard_input = self
            .inputs
            .iter()
            .filter(|(_, path)| is_standard_input(path));
        if let (Some((first, _)), Some((second, _))) =
            (of_standard_input.next(), of_standard_input.next())
        {
            return Err(Wrong::conflict(format!(
                "{first} and {second} cannot both read standard input; give a file for one of them"
            )));
        }
        for (at, (option, path)) in self.outputs.iter().enumerate() {
            let Some(place) = place(path) else { continue };
            for (earlier, other) in &self.outputs[..at] {
                if self::place(other).as_ref() == Some(&place) {
                    return Err(Wrong::conflict(format!(
                        "{}: {earlier} and {option} cannot both go there; give another file",
                        name(path)
                    )));
                }
            }
            for (input, other) in &self.inputs {
                let may_replace = self.replaceable == Some((input, option));
                if !may_replace
                    && path != Path::new("-")
                    && !is_standard_input(other)
                    && self::place(other).as_ref() == Some(&place)
                {
                    return Err(Wrong::conflict(format!(
                        "{}: it is an input of this run ({input}) and would be replaced; give another output",
                        path.display()
                    )));
                }
            }
        }
        Ok(())
    }
}

/// Returns true for the names of standard input.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-") || path == Path::new("/dev/stdin")
}

/// Refuses a file of calls that can be read only once: standard input, a pipe or a device.
///
/// # Errors
/// As said.
pub(super) fn check_read_twice(option: &str, path: &Path) -> Result<(), Wrong> {
    if plain(path) == Path::new("-") || text_source::is_stream(path) {
        return Err(Wrong::value(format!(
            "{option}: the calls are read twice, so not from standard input or a pipe; give a file"
        )));
    }
    Ok(())
}

fn name(path: &Path) -> String {
    match path.to_str() {
        Some("-") => "standard output".to_owned(),
        _ => path.display().to_string(),
    }
}

/// The one name of a place, over links; nothing for devices and pipes.
fn place(path: &Path) -> Option<PathBuf> {
    if path == Path::new("-") {
        return Some(path.to_owned());
    }
    if atomic::is_special(path) {
        return None;
    }
    let path = atomic::resolve(path);
    let folder = path.parent().map(|folder| match folder.as_os_str() {
        empty if empty.is_empty() => Path::new("."),
        _ => folder,
    });
    // A file that is not there yet has a folder that is.
    match (folder.map(Path::canonicalize), path.file_name()) {
        (Some(Ok(folder)), Some(name)) => Some(folder.join(name)),
        _ => std::path::absolute(&path).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(inputs: &[(&'static str, &str)], outputs: &[(&'static str, &str)]) -> Files {
        let mut files = Files::default();
        for (option, path) in inputs {
            files.input(option, Path::new(path));
        }
        for (option, path) in outputs {
            files.output(option, Path::new(path));
        }
        files
    }

    #[test]
    fn every_output_has_a_place_of_its_own() {
        let check = |first: &str, second: &str| {
            files(&[], &[("-o", first), ("--table", second)])
                .check()
                .is_ok()
        };
        assert!(check("x", "y") && check("/dev/null", "/dev/null") && check("x", "-"));
        assert!(!check("x", "./x") && !check("-", "/dev/stdout"));
        assert!(!check("none/x", "none/./x"));
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::os::unix::fs::symlink("x", path("link")).unwrap();
        assert!(!check(&path("x"), &path("link")));
    }

    #[test]
    fn an_output_replaces_no_input_but_where_it_may() {
        let mut files = files(&[("-V", "calls"), ("-R", "ref")], &[("-o", "./calls")]);
        assert!(files.check().is_err());
        files.may_replace("-V", "-o");
        assert!(files.check().is_ok());
        files.output("--summary-json", Path::new("ref"));
        assert!(files.check().is_err());
    }

    #[test]
    fn standard_input_is_read_once() {
        let given = [("-V", "-"), ("--truth", "/dev/stdin")];
        assert!(files(&given, &[]).check().is_err());
        assert!(files(&given[..1], &[("-o", "-")]).check().is_ok());
    }
}
