//! Tests of the whole program.

mod signature_bench;
mod signature_certificates;
mod signature_differential;
mod signature_forgery;
mod signature_hardware;
