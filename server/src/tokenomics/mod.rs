//! Supply, countries, fees and the genesis schedule: facts about the currency
//! that everybody may know.

mod bucket;
pub mod entity;
pub mod projection;

pub use bucket::bucket_of;
