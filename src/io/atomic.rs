//! Files that are whole or absent: written under a temporary name beside the target, renamed last.

use std::collections::BTreeSet;
use std::fs::{File, Permissions, TryLockError};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use tempfile::{NamedTempFile, TempPath};

use super::error::{IoError, Problem};

/// A folder is tried for this many times, with this pause between: other runs hold it for as long as
/// renaming takes.
const HOLD_TRIES: u32 = 200;
const HOLD_PAUSE: Duration = Duration::from_millis(25);

/// Temporary files that exist now, for a program that is told to stop.
static PENDING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// An entry in [`PENDING`] that goes with its file.
#[derive(Debug)]
struct Registration(PathBuf);

impl Registration {
    fn new(path: &Path) -> Self {
        if let Ok(mut pending) = PENDING.lock() {
            pending.insert(path.to_owned());
        }
        Self(path.to_owned())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Ok(mut pending) = PENDING.lock() {
            pending.remove(&self.0);
        }
    }
}

/// Removes all temporary files, whatever is being written: for SIGINT and SIGTERM.
pub fn remove_pending_files() {
    if let Ok(pending) = PENDING.lock() {
        for path in pending.iter() {
            // Nothing can be done about one that cannot be removed.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A file under a temporary name. Dropped without [`PendingFile::commit`], it disappears.
#[derive(Debug)]
pub struct PendingFile {
    target: PathBuf,
    temporary: TempPath,
    /// Drops after the file is renamed or removed.
    registration: Registration,
}

impl PendingFile {
    /// Creates the temporary file beside `target` and returns it with its open handle.
    ///
    /// A link is followed, so that its target is replaced and the link stays.
    ///
    /// # Errors
    /// Where the folder is missing or read-only, or the target is a device or pipe.
    pub fn create(target: &Path) -> Result<(Self, File), IoError> {
        let target = &resolve(target);
        if is_special(target) {
            let found = "a device or pipe".to_owned();
            let expected = "a file name";
            return Err(IoError::new(target, Problem::Format { expected, found }));
        }
        check_name(target)?;
        let folder = folder_of(target);
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let (prefix, suffix) = around_temporary(&name);
        let file = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(suffix)
            // What any program would ask for; the user's umask is taken off by the system.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map_err(|e| IoError::system(target, "create", e))?;
        let (handle, temporary) = NamedTempFile::into_parts(file);
        let pending = Self {
            target: target.to_owned(),
            registration: Registration::new(&temporary),
            temporary,
        };
        Ok((pending, handle))
    }

    /// The temporary name.
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// Where the target cannot be replaced (it is a folder, say).
    pub fn commit(self) -> Result<(), IoError> {
        let Self {
            target,
            temporary,
            registration,
        } = self;
        let renamed = temporary
            .persist(&target)
            .map_err(|e| IoError::system(&target, "rename to", e.error));
        drop(registration);
        renamed
    }
}

/// Makes sure that a file can be created at `target`, by making and removing its temporary file.
/// Standard output (`-`), devices and pipes are not tried.
///
/// # Errors
/// As [`PendingFile::create`].
pub fn check_target(target: &Path) -> Result<(), IoError> {
    if target == Path::new("-") || target.is_dir() || is_special(target) {
        return Ok(());
    }
    PendingFile::create(target).map(drop)
}

/// Makes a folder, and those above it, where it is not there yet.
///
/// # Errors
/// Where the system refuses.
pub fn create_folder(path: &Path) -> Result<(), IoError> {
    std::fs::create_dir_all(path).map_err(|e| IoError::system(path, "create", e))
}

/// Takes a folder away again if nothing is in it; what cannot be removed stays.
pub fn remove_empty_folder(path: &Path) {
    // A folder with files in it is refused by the system, which is what is wanted.
    let _ = std::fs::remove_dir(path);
}

/// Writes a small file under a temporary name, whole; [`PendingFile::commit`] puts it in its place.
///
/// # Errors
/// Where the file cannot be created or written.
pub fn prepare(target: &Path, bytes: &[u8]) -> Result<PendingFile, IoError> {
    let (pending, mut file) = PendingFile::create(target)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|e| IoError::system(target, "write", e))?;
    Ok(pending)
}

/// Writes small files: all of them or, where one cannot be written, none.
///
/// # Errors
/// As [`prepare`] and [`PendingFile::commit`].
pub fn write_all<'a>(files: impl IntoIterator<Item = (PathBuf, &'a [u8])>) -> Result<(), IoError> {
    let prepared = files
        .into_iter()
        .map(|(target, bytes)| prepare(&target, bytes))
        .collect::<Result<Vec<_>, _>>()?;
    prepared.into_iter().try_for_each(PendingFile::commit)
}

/// Writes a small file whole or not at all; into a device or pipe as it is, which is not replaced.
///
/// # Errors
/// Where the file cannot be created, written or put in its place.
pub fn write(target: &Path, bytes: &[u8]) -> Result<(), IoError> {
    if is_special(target) {
        return std::fs::write(target, bytes).map_err(|e| IoError::system(target, "write", e));
    }
    prepare(target, bytes)?.commit()
}

/// Where a link leads, over further links, whether anything stands there yet or not; a path that is
/// none as it is, and so is one in a circle of links.
pub fn resolve(target: &Path) -> PathBuf {
    /// Links in a row that the system follows.
    const MOST: usize = 40;
    if !target.is_symlink() {
        return target.to_owned();
    }
    if let Ok(real) = target.canonicalize() {
        return real;
    }
    // What stands there has no path of its own: a pipe under /dev/stdout.
    if target.exists() {
        return target.to_owned();
    }
    let mut path = target.to_owned();
    for _ in 0..MOST {
        match std::fs::read_link(&path) {
            // What a link says counts from the folder that it lies in.
            Ok(next) => path = path.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return path,
        }
    }
    target.to_owned()
}

/// Refuses a name that is longer than the system allows, which would show when the file is done.
///
/// # Errors
/// The system's own.
pub fn check_name(target: &Path) -> Result<(), IoError> {
    match target.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::InvalidFilename => {
            Err(IoError::system(target, "create", error))
        }
        _ => Ok(()),
    }
}

/// The temporary name's beginning and end around its random letters. Together they are no longer than
/// a name may be (255 bytes).
fn around_temporary(name: &str) -> (String, &'static str) {
    /// Bytes of the target's name that are kept.
    const LONGEST: usize = 200;
    let mut end = name.len().min(LONGEST);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    (format!(".{}.", &name[..end]), ".tmp")
}

/// True where something stands at `target` that is no file and no folder.
pub fn is_special(target: &Path) -> bool {
    target
        .metadata()
        .is_ok_and(|data| !data.is_file() && !data.is_dir())
}

/// Holds the folder of `target` against other runs that put several files together in their places,
/// until the value goes. Where the file system cannot do that, or somebody else holds it for
/// seconds, nothing is held.
pub fn hold_folder_of(target: &Path) -> Option<File> {
    let folder = File::open(folder_of(target)).ok()?;
    for _ in 0..HOLD_TRIES {
        match folder.try_lock() {
            Ok(()) => return Some(folder),
            Err(TryLockError::WouldBlock) => std::thread::sleep(HOLD_PAUSE),
            Err(TryLockError::Error(_)) => break,
        }
    }
    None
}

fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_without_a_commit() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.vcf");
        let (pending, mut file) = PendingFile::create(&target).unwrap();
        file.write_all(b"half").unwrap();
        assert!(pending.path().exists() && !target.exists());
        drop(pending);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn an_old_file_is_replaced_and_readable_by_others() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x");
        std::fs::write(&target, "old").unwrap();
        write(&target, b"new").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
        let mode = std::fs::metadata(&target).unwrap().permissions().mode();
        let plain = folder.path().join("y");
        std::fs::write(&plain, "").unwrap();
        assert_eq!(
            mode,
            std::fs::metadata(&plain).unwrap().permissions().mode()
        );
    }

    #[test]
    fn a_link_stays_and_its_target_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("x"), folder.path().join("link"));
        std::fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
    }

    #[test]
    fn links_are_followed_to_files_that_are_not_there_yet() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, path(name)).unwrap();
        std::fs::create_dir_all(path("deep/er")).unwrap();
        link("deep/second", "first");
        link("er/x", "deep/second");
        write(&path("first"), b"new").unwrap();
        assert!(path("first").is_symlink() && path("deep/second").is_symlink());
        assert_eq!(std::fs::read(path("deep/er/x")).unwrap(), b"new");
        link("missing/x", "lost");
        let error = write(&path("lost"), b"").unwrap_err().to_string();
        assert!(error.contains("missing/x: cannot create"), "{error}");
        assert!(path("lost").is_symlink());
        link("round", "round");
        assert_eq!(resolve(&path("round")), path("round"));
    }

    #[test]
    fn a_name_may_be_as_long_as_the_system_allows() {
        let folder = tempfile::tempdir().unwrap();
        for length in [239, 240, 255] {
            let name = "é".repeat(length / 2) + &"x".repeat(length % 2);
            write(&folder.path().join(&name), b"new").unwrap();
            assert!(folder.path().join(&name).is_file(), "{length}");
        }
        assert!(write(&folder.path().join("x".repeat(256)), b"").is_err());
    }

    #[test]
    fn a_pipe_is_written_and_not_replaced() {
        let (mut out, into) = std::io::pipe().unwrap();
        let target = super::super::bcf_text::descriptor_path(&into);
        write(&target, b"text").unwrap();
        assert!(is_special(&target));
        assert!(PendingFile::create(&target).is_err());
        drop(into);
        let mut found = String::new();
        std::io::Read::read_to_string(&mut out, &mut found).unwrap();
        assert_eq!(found, "text");
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = write(Path::new("/no/such/folder/x.vcf"), b"").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("/no/such/folder/x.vcf: cannot create"),
            "{error}"
        );
    }
}
