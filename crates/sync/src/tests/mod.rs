mod batches;
mod card_keys;
mod codes;
mod driver;
mod feed;
mod http;
mod outbox;
mod sources;
