//! Central as its terminals meet it: an invented city in a temporary folder, seeded, published, served on a free port.

mod feed;
mod fixture;
mod http;
mod seeding;
mod uploads;
