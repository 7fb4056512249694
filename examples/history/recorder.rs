//! Files of OpenMetrics with timestamps.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::civil::Date;

/// What Prometheus adds to every series of a target.
const TARGET: &str = r#"job="wolkvox",instance="exporter:9963""#;

pub(crate) struct Recorder {
    folder: PathBuf,
    names: HashSet<String>,
    file: Option<BufWriter<File>>,
}

impl Recorder {
    /// Without names it takes all.
    pub(crate) fn new(folder: &Path, names: &[String]) -> Self {
        Self {
            folder: folder.to_owned(),
            names: names.iter().cloned().collect(),
            file: None,
        }
    }

    /// The file of a day: promtool reads a file once for each block of two hours.
    pub(crate) fn begin(&mut self, date: Date) -> anyhow::Result<()> {
        let file = File::create(self.folder.join(format!("{date}.om")))?;
        self.file = Some(BufWriter::new(file));
        Ok(())
    }

    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        let mut file = self.file.take().context("no day has begun")?;
        writeln!(file, "# EOF")?;
        file.flush()?;
        Ok(())
    }

    /// What a scrape stores; without a page it failed.
    pub(crate) fn scrape(&mut self, second: i64, page: Option<&str>) -> anyhow::Result<()> {
        self.up(second, page.is_some())?;
        let Some(page) = page else { return Ok(()) };
        let file = self.file.as_mut().context("no day has begun")?;
        let mut samples = 0_u64;
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            samples += 1;
            let end_of_name = line.find('{').or_else(|| line.find(' ')).context("a line without a value")?;
            let (name, rest) = line.split_at(end_of_name);
            if !self.names.is_empty() && !self.names.contains(name) {
                continue;
            }
            match rest.strip_prefix('{') {
                Some(rest) => writeln!(file, "{name}{{{TARGET},{rest} {second}")?,
                None => writeln!(file, "{name}{{{TARGET}}}{rest} {second}")?,
            }
        }
        writeln!(file, "scrape_samples_scraped{{{TARGET}}} {samples} {second}")?;
        writeln!(file, "scrape_duration_seconds{{{TARGET}}} 0.004 {second}")?;
        Ok(())
    }

    /// Whether the target answered.
    pub(crate) fn up(&mut self, second: i64, up: bool) -> anyhow::Result<()> {
        let file = self.file.as_mut().context("no day has begun")?;
        writeln!(file, "up{{{TARGET}}} {} {second}", u8::from(up))?;
        Ok(())
    }
}
