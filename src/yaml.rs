//! Reads YAML files written by people: all mistakes at once, each with its line.

pub(crate) mod document;
pub(crate) mod file;
pub(crate) mod mapping;
pub(crate) mod mistake;
