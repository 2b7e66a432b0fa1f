//! An open file, as SQLite calls it. No shared memory and no mapping: a journal in WAL mode has to hold its lock for
//! itself alone (`PRAGMA locking_mode = EXCLUSIVE`), as the terminal's does.

use super::super::content::SECTOR;
use super::super::faults::FileKind;
use super::super::folder::FileId;
use super::super::state::{Epoch, Shared, Trouble, lock};
use rusqlite::ffi;
use std::ffi::{c_int, c_void};

/// What SQLite keeps of a file: its methods first, as its header asks.
#[repr(C)]
pub(super) struct RawFile {
    methods: *const ffi::sqlite3_io_methods,
    open: *mut OpenFile,
}

/// How much room SQLite gives for it, in bytes.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "two pointers")]
pub(super) const SIZE: c_int = size_of::<RawFile>() as c_int;

/// An open file.
pub(super) struct OpenFile {
    pub(super) disk: Shared,
    /// The process that opened it.
    pub(super) epoch: Epoch,
    pub(super) number: FileId,
    /// Who it is among those who lock this file.
    pub(super) handle: u64,
    pub(super) kind: FileKind,
    /// Its name is still to be made durable, with the first sync.
    pub(super) syncs_folder: bool,
    /// Something but the header was written since the last sync was asked for.
    pub(super) has_written: bool,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(raise_lock),
    xUnlock: Some(lower_lock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// Marks a file as not open, so that SQLite does not close it.
///
/// # Safety
/// `into` points to `SIZE` bytes.
pub(super) unsafe fn clear(into: *mut ffi::sqlite3_file) {
    // SAFETY: the caller gives room for a `RawFile`; SQLite's allocations are aligned for pointers.
    unsafe { into.cast::<RawFile>().write(RawFile { methods: std::ptr::null(), open: std::ptr::null_mut() }) };
}

/// Opens a file for SQLite, which closes it by `xClose`.
///
/// # Safety
/// As `clear`.
pub(super) unsafe fn place(into: *mut ffi::sqlite3_file, file: OpenFile) {
    let raw = RawFile { methods: &raw const METHODS, open: Box::into_raw(Box::new(file)) };
    // SAFETY: the caller gives room for a `RawFile`; SQLite's allocations are aligned for pointers.
    unsafe { into.cast::<RawFile>().write(raw) };
}

/// The file behind SQLite's.
///
/// # Safety
/// `file` was placed and is not closed; SQLite uses a file from one thread at a time.
unsafe fn open_file<'a>(file: *mut ffi::sqlite3_file) -> &'a mut OpenFile {
    // SAFETY: `place` put a box's pointer there, which is freed in `close` only.
    unsafe { &mut *(*file.cast::<RawFile>()).open }
}

/// A place in a file; SQLite never gives a negative one.
fn place_at(offset: ffi::sqlite3_int64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn code_of(trouble: Trouble, failed: c_int) -> c_int {
    match trouble {
        Trouble::Full => ffi::SQLITE_FULL,
        Trouble::Stopped | Trouble::Failed | Trouble::Missing => failed,
    }
}

fn result_of(done: Result<(), Trouble>, failed: c_int) -> c_int {
    done.map_or_else(|trouble| code_of(trouble, failed), |()| ffi::SQLITE_OK)
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let raw = file.cast::<RawFile>();
    // SAFETY: SQLite closes a placed file once; the box is taken back and its pointer forgotten.
    let open = unsafe {
        let open = Box::from_raw((*raw).open);
        clear(file);
        open
    };
    if let Ok(locks) = lock(&open.disk).locks(open.epoch, open.number) {
        locks.lower(open.handle, 0);
    }
    ffi::SQLITE_OK
}

/// What lies beyond the file's end reads as zeros, and SQLite is told that it was short.
unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    count: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite reads from a file that it has open.
    let open = unsafe { open_file(file) };
    let Ok(length) = usize::try_from(count) else { return ffi::SQLITE_IOERR_READ };
    // SAFETY: SQLite gives a buffer of this length, which nobody else uses meanwhile. It may not have been written
    // before: that matters to no byte, which all are plain numbers.
    let buffer = unsafe { std::slice::from_raw_parts_mut(into.cast::<u8>(), length) };
    match lock(&open.disk).read(open.epoch, open.number, place_at(offset), buffer) {
        Ok(read) if read == length => ffi::SQLITE_OK,
        Ok(read) => {
            buffer.get_mut(read..).unwrap_or_default().fill(0);
            ffi::SQLITE_IOERR_SHORT_READ
        }
        Err(trouble) => code_of(trouble, ffi::SQLITE_IOERR_READ),
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    count: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite writes to a file that it has open.
    let open = unsafe { open_file(file) };
    let Ok(length) = usize::try_from(count) else { return ffi::SQLITE_IOERR_WRITE };
    // SAFETY: SQLite gives a buffer of this length.
    let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), length) };
    open.has_written |= offset > 0;
    let done = lock(&open.disk).write(open.epoch, (open.number, open.kind), place_at(offset), bytes);
    result_of(done, ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite has the file open.
    let open = unsafe { open_file(file) };
    let done = lock(&open.disk).truncate(open.epoch, (open.number, open.kind), place_at(size));
    result_of(done, ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: SQLite has the file open.
    let open = unsafe { open_file(file) };
    let is_of_frames = std::mem::take(&mut open.has_written);
    let mut disk = lock(&open.disk);
    if let Err(trouble) = disk.sync(open.epoch, (open.number, open.kind), is_of_frames) {
        return code_of(trouble, ffi::SQLITE_IOERR_FSYNC);
    }
    if std::mem::take(&mut open.syncs_folder) {
        return result_of(disk.sync_folder(open.epoch, open.kind), ffi::SQLITE_IOERR_DIR_FSYNC);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, into: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite has the file open.
    let open = unsafe { open_file(file) };
    match lock(&open.disk).size(open.epoch, open.number) {
        Ok(size) => {
            // SAFETY: SQLite gives a place for the answer.
            unsafe { *into = i64::try_from(size).unwrap_or(i64::MAX) };
            ffi::SQLITE_OK
        }
        Err(trouble) => code_of(trouble, ffi::SQLITE_IOERR_FSTAT),
    }
}

unsafe extern "C" fn raise_lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite has the file open.
    let open = unsafe { open_file(file) };
    match lock(&open.disk).locks(open.epoch, open.number).map(|locks| locks.raise(open.handle, level)) {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_BUSY,
        Err(trouble) => code_of(trouble, ffi::SQLITE_IOERR_LOCK),
    }
}

unsafe extern "C" fn lower_lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite has the file open.
    let open = unsafe { open_file(file) };
    let done = lock(&open.disk).locks(open.epoch, open.number).map(|locks| locks.lower(open.handle, level));
    result_of(done, ffi::SQLITE_IOERR_UNLOCK)
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, into: *mut c_int) -> c_int {
    // SAFETY: SQLite has the file open.
    let open = unsafe { open_file(file) };
    match lock(&open.disk).locks(open.epoch, open.number).map(|locks| locks.is_reserved()) {
        Ok(is_reserved) => {
            // SAFETY: SQLite gives a place for the answer.
            unsafe { *into = c_int::from(is_reserved) };
            ffi::SQLITE_OK
        }
        Err(trouble) => code_of(trouble, ffi::SQLITE_IOERR_CHECKRESERVEDLOCK),
    }
}

/// Nothing of it changes anything here: SQLite does as it does by default. That a checkpoint begins is noted.
unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, code: c_int, _argument: *mut c_void) -> c_int {
    if code == ffi::SQLITE_FCNTL_CKPT_START {
        // SAFETY: SQLite has the file open.
        let open = unsafe { open_file(file) };
        lock(&open.disk).begin_checkpoint(open.epoch);
    }
    ffi::SQLITE_NOTFOUND
}

#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "512")]
unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    SECTOR as c_int
}

/// No promise: not even that what was not written stays as it was when the power fails in the same sector.
unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    0
}
