//! Record files: read, write, update, clear.

use super::Picc;
use super::codes;
use super::commands::parameters;
use crate::bytes::u24;
use crate::memory::{Contents, RecordFile};
use crate::status::Status;

impl Picc {
    fn record_file(&self, number: u8) -> Result<&RecordFile, Status> {
        match &self.application()?.file(number)?.contents {
            Contents::Linear(file) | Contents::Cyclic(file) => Ok(file),
            _ => Err(Status::PermissionDenied),
        }
    }

    /// `first` counts back from the newest record; the answer is in the order of writing.
    pub(super) fn read_records(&mut self, ins: u8, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let (number, first, count) = parameters(clear)?;
        let records = &self.record_file(number)?.records;
        let end = records.len().checked_sub(first).filter(|end| *end > 0).ok_or(Status::Boundary)?;
        let count = if count == 0 { end } else { count };
        let start = end.checked_sub(count).ok_or(Status::Boundary)?;
        let data = records[start..end].concat();
        self.transaction.note_data(ins, number, first, count, &data);
        Ok(data)
    }

    pub(super) fn write_record(&mut self, ins: u8, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let (number, offset, length) = parameters(clear)?;
        let data = clear.get(7..).ok_or(Status::Length)?;
        let file = self.record_file(number)?;
        let is_linear = matches!(self.application()?.file(number)?.contents, Contents::Linear(_));
        if is_linear && file.records.len() >= file.max_records {
            return Err(Status::Boundary);
        }
        let size = file.record_size;
        self.transaction.write_record(number, size, offset, data)?;
        self.transaction.note_data(ins, number, offset, length, data);
        Ok(Vec::new())
    }

    /// Changes part of a record that is there, counted back from the newest.
    pub(super) fn update_record(&mut self, ins: u8, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let [number, a, b, c, header @ ..] = clear else { return Err(Status::Length) };
        let ([x, y, z, _, _, _], data) = header.split_first_chunk::<6>().ok_or(Status::Length)?;
        let (back, offset) = (u24([*a, *b, *c]), u24([*x, *y, *z]));
        let records = &self.record_file(*number)?.records;
        let place = records.len().checked_sub(back + 1).ok_or(Status::Boundary)?;
        let record = records.get(place).cloned().ok_or(Status::Boundary)?;
        self.transaction.update_record(*number, place, &record, offset, data)?;
        let head = clear.get(..10).ok_or(Status::Length)?;
        self.transaction.note_update(ins, head, data);
        Ok(Vec::new())
    }

    pub(super) fn clear_record_file(&mut self, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let [number] = *clear else { return Err(Status::Length) };
        self.record_file(number)?;
        self.transaction.clear_records(number)?;
        self.transaction.note(&[codes::CLEAR_RECORD_FILE, number]);
        Ok(Vec::new())
    }
}
