//! SQLite's view of a disk: a VFS of SQLite's C interface (<https://sqlite.org/vfs.html>), one for each disk, under a
//! name of its own. It promises nothing (no atomic writes, no safe appends, no undamaged neighbours of a torn sector),
//! so that SQLite has to defend itself against everything the disk does.
//!
//! What is registered once stays in memory for ever, because a connection keeps a pointer to it: a name is taken by the
//! next disk when the last one is dropped with no file open. A connection that outlives its disk gets errors.

mod file;

use super::faults::FileKind;
use super::state::{Shared, Trouble, lock};
use rusqlite::ffi;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::{Arc, Mutex, Once, PoisonError};

/// The longest path, in bytes.
const PATH_BYTES_MAX: c_int = 512;

/// The VFS's version: with 64-bit time, without system calls to override.
const VERSION: c_int = 2;

/// The time that SQLite is told, in milliseconds of the Julian calendar's count: 2026-01-01T00:00:00Z, always.
const NOW_JULIAN_MS: i64 = 212_634_806_400_000;
const MS_PER_DAY: f64 = 86_400_000.0;

/// Slots that no disk has at the moment.
static FREE: Mutex<Vec<&'static Slot>> = Mutex::new(Vec::new());
/// How many slots there are.
static MADE: Mutex<u32> = Mutex::new(0);

/// A name that SQLite knows, and the disk that has it now.
struct Slot {
    name: CString,
    disk: Mutex<Option<Shared>>,
}

impl Slot {
    fn disk(&self) -> Option<Shared> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lend(&self, disk: Option<Shared>) {
        *self.disk.lock().unwrap_or_else(PoisonError::into_inner) = disk;
    }
}

/// A disk that SQLite can open files on; not any more when this is dropped.
pub(super) struct Registered(&'static Slot);

impl Registered {
    /// Makes the disk known to SQLite.
    ///
    /// # Errors
    /// SQLite's result code.
    pub(super) fn new(disk: Shared) -> Result<Self, c_int> {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let slot = match free {
            Some(slot) => slot,
            None => make_slot()?,
        };
        slot.lend(Some(disk));
        Ok(Self(slot))
    }

    /// The name, as SQLite and `JournalOptions` take it.
    pub(super) fn name(&self) -> &str {
        self.0.name.to_str().unwrap_or_default()
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let Some(disk) = self.0.disk() else { return };
        self.0.lend(None);
        // Each open file holds the disk as well. The disk's own handle is gone already: its fields drop in order.
        if Arc::strong_count(&disk) == 1 {
            FREE.lock().unwrap_or_else(PoisonError::into_inner).push(self.0);
        }
    }
}

/// SQLite counts its memory under one lock for all threads, which several histories at once would wait for: not here.
/// Where SQLite was used before the first disk was made, it goes on counting.
fn count_no_memory() {
    static ONCE: Once = Once::new();
    const OFF: c_int = 0;
    ONCE.call_once(|| {
        // SAFETY: the option takes one `int`. Once SQLite is initialised it refuses, and touches nothing. It must not be
        // called while another thread initialises SQLite: everything in this package that uses SQLite has a disk first.
        let _: c_int = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, OFF) };
    });
}

fn make_slot() -> Result<&'static Slot, c_int> {
    count_no_memory();
    let number = {
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        *made += 1;
        *made
    };
    let name = CString::new(format!("simulated-disk-{number}")).map_err(|_| ffi::SQLITE_MISUSE)?;
    let slot: &'static Slot = Box::leak(Box::new(Slot { name, disk: Mutex::new(None) }));
    let table: &'static mut ffi::sqlite3_vfs = Box::leak(Box::new(table(slot)));
    // SAFETY: table, name and slot are never freed or moved, and every function in the table has the signature that
    // SQLite's header asks for. SQLite guards its list of VFSs with a mutex of its own.
    match unsafe { ffi::sqlite3_vfs_register(table, 0) } {
        ffi::SQLITE_OK => Ok(slot),
        code => Err(code),
    }
}

fn table(slot: &'static Slot) -> ffi::sqlite3_vfs {
    ffi::sqlite3_vfs {
        iVersion: VERSION,
        szOsFile: file::SIZE,
        mxPathname: PATH_BYTES_MAX,
        pNext: std::ptr::null_mut(),
        zName: slot.name.as_ptr(),
        pAppData: std::ptr::from_ref(slot).cast_mut().cast(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_path),
        xDlOpen: Some(load_nothing),
        xDlError: Some(no_load_error),
        xDlSym: Some(no_symbol),
        xDlClose: Some(close_nothing),
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: None,
        xCurrentTimeInt64: Some(current_time_ms),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }
}

/// The disk behind a VFS; `None` when it was dropped.
///
/// # Safety
/// `vfs` is one that `make_slot` registered.
unsafe fn disk_of(vfs: *mut ffi::sqlite3_vfs) -> Option<Shared> {
    // SAFETY: the caller's VFS was registered with a slot as its data, and neither is ever freed.
    let slot = unsafe { (*vfs).pAppData.cast::<Slot>().as_ref() }?;
    slot.disk()
}

/// A path that SQLite hands over; `None` for a file without a name, or one that is not UTF-8.
///
/// # Safety
/// `path` is null or a string that ends in a zero byte and lives while the result is used.
unsafe fn path_of<'a>(path: *const c_char) -> Option<&'a str> {
    if path.is_null() {
        return None;
    }
    // SAFETY: not null, and the caller says that it is a string that lives long enough.
    unsafe { CStr::from_ptr(path) }.to_str().ok()
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    into: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives room of `szOsFile` bytes for the file; without methods it will not be closed.
    unsafe { file::clear(into) };
    // SAFETY: SQLite calls this with a VFS that was registered, and with a path or null.
    let (Some(disk), path) = (unsafe { disk_of(vfs) }, unsafe { path_of(path) }) else {
        return ffi::SQLITE_CANTOPEN;
    };
    let makes = flags & ffi::SQLITE_OPEN_CREATE != 0;
    let (epoch, opened) = {
        let mut state = lock(&disk);
        let epoch = state.epoch();
        (epoch, state.open(epoch, path, makes))
    };
    let (number, handle) = match opened {
        Ok(opened) => opened,
        Err(Trouble::Stopped | Trouble::Failed) => return ffi::SQLITE_IOERR,
        Err(Trouble::Full) => return ffi::SQLITE_FULL,
        Err(Trouble::Missing) => return ffi::SQLITE_CANTOPEN,
    };
    let kind = path.map_or(FileKind::Other, FileKind::of);
    // As the Unix VFS does: the name of a new log or rollback journal is made durable with its first sync.
    let syncs_folder = makes && matches!(kind, FileKind::Log | FileKind::RollbackJournal);
    let file = file::OpenFile { disk, epoch, number, handle, kind, syncs_folder, has_written: false };
    // SAFETY: as above; the file is written once, before SQLite uses it.
    unsafe { file::place(into, file) };
    // SAFETY: null, or a place for one number.
    if let Some(out_flags) = unsafe { out_flags.as_mut() } {
        *out_flags = flags;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, path: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: SQLite calls this with a VFS that was registered, and with a path.
    let (Some(disk), Some(path)) = (unsafe { disk_of(vfs) }, unsafe { path_of(path) }) else {
        return ffi::SQLITE_IOERR_DELETE;
    };
    let mut state = lock(&disk);
    let epoch = state.epoch();
    let deleted = state.delete(epoch, path).and_then(|()| match sync_folder {
        0 => Ok(()),
        _ => state.sync_folder(epoch, FileKind::of(path)),
    });
    match deleted {
        Ok(()) => ffi::SQLITE_OK,
        Err(Trouble::Missing) => ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(Trouble::Stopped | Trouble::Failed | Trouble::Full) => ffi::SQLITE_IOERR_DELETE,
    }
}

/// As the Unix VFS: an empty file does not exist.
unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    _flags: c_int,
    result: *mut c_int,
) -> c_int {
    // SAFETY: SQLite calls this with a VFS that was registered, and with a path.
    let (Some(disk), Some(path)) = (unsafe { disk_of(vfs) }, unsafe { path_of(path) }) else {
        return ffi::SQLITE_IOERR_ACCESS;
    };
    let state = lock(&disk);
    let Ok(size) = state.size_of(state.epoch(), path) else { return ffi::SQLITE_IOERR_ACCESS };
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *result = c_int::from(size.is_some_and(|size| size > 0)) };
    ffi::SQLITE_OK
}

/// Paths are absolute already: there is one folder.
unsafe extern "C" fn full_path(
    _vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    room: c_int,
    into: *mut c_char,
) -> c_int {
    // SAFETY: SQLite gives a string.
    let bytes = unsafe { CStr::from_ptr(path) }.to_bytes_with_nul();
    if usize::try_from(room).is_ok_and(|room| bytes.len() <= room) {
        // SAFETY: it fits, and SQLite's buffer does not overlap the path.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), into, bytes.len()) };
        ffi::SQLITE_OK
    } else {
        ffi::SQLITE_CANTOPEN
    }
}

unsafe extern "C" fn load_nothing(_vfs: *mut ffi::sqlite3_vfs, _path: *const c_char) -> *mut c_void {
    std::ptr::null_mut()
}

unsafe extern "C" fn no_load_error(_vfs: *mut ffi::sqlite3_vfs, room: c_int, into: *mut c_char) {
    if room > 0 {
        // SAFETY: there is room for at least this byte.
        unsafe { *into = 0 };
    }
}

type Symbol = unsafe extern "C" fn(*mut ffi::sqlite3_vfs, *mut c_void, *const c_char);

unsafe extern "C" fn no_symbol(_vfs: *mut ffi::sqlite3_vfs, _of: *mut c_void, _name: *const c_char) -> Option<Symbol> {
    None
}

unsafe extern "C" fn close_nothing(_vfs: *mut ffi::sqlite3_vfs, _library: *mut c_void) {}

unsafe extern "C" fn randomness(vfs: *mut ffi::sqlite3_vfs, count: c_int, into: *mut c_char) -> c_int {
    // SAFETY: SQLite calls this with a VFS that was registered.
    let (Some(disk), Ok(length)) = (unsafe { disk_of(vfs) }, usize::try_from(count)) else { return 0 };
    // SAFETY: SQLite gives a buffer of this length.
    let buffer = unsafe { std::slice::from_raw_parts_mut(into.cast::<u8>(), length) };
    lock(&disk).random(buffer);
    count
}

/// Nobody waits for anybody in a simulation.
unsafe extern "C" fn sleep(_vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

unsafe extern "C" fn current_time(_vfs: *mut ffi::sqlite3_vfs, into: *mut f64) -> c_int {
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    let days = NOW_JULIAN_MS as f64 / MS_PER_DAY;
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *into = days };
    ffi::SQLITE_OK
}

unsafe extern "C" fn current_time_ms(_vfs: *mut ffi::sqlite3_vfs, into: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *into = NOW_JULIAN_MS };
    ffi::SQLITE_OK
}
