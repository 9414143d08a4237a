//! The gateway: a real Envoy, configured by `gx gateway`, in front of a real `gx`, or of
//! an upstream that does what a test asks for.

mod browsers;
mod cases;
mod examples;
mod files;
mod fuzz;
mod grpcurl;
mod methods;
mod path;
mod refusals;
mod retries;
mod streams;
mod upstream;
mod watched;
