//! Reads YAML files that people write: every mistake with its line, all of them in one go.

pub(crate) mod document;
pub(crate) mod file;
pub(crate) mod mapping;
pub(crate) mod mistake;
