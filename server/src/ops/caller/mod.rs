//! A running system as its users meet it: clients of its services, people who register
//! and are verified, staff who approve. For tools that do what users do.

pub(super) mod api;
mod codes;
mod person;
mod picture;
mod staff;

pub(super) use api::{Api, call};
pub(super) use person::Person;
pub(super) use staff::Staff;
