//! Everything is tested through the public surface: HTTP in, HTTP out.
