//! The program `git-gate`.

fn main() {}
