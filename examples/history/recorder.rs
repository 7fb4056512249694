//! Files of OpenMetrics with timestamps.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;
use wolkvox_exporter::reports::REPORTS;

/// Labels that Prometheus adds to every series of a target.
const TARGET: &str = r#"job="wolkvox",instance="exporter:9963""#;
/// Seconds per file: promtool reads a file once for each block that has samples of it, which with
/// `--max-block-duration=18h` is once.
const BLOCK: i64 = 18 * 3600;

pub(crate) struct Recorder {
    folder: PathBuf,
    names: HashSet<String>,
    /// The samples of what happens now.
    now: HashSet<String>,
    file: Option<(i64, BufWriter<File>)>,
}

impl Recorder {
    /// Records the named metrics, or all of them if `names` is empty.
    pub(crate) fn new(folder: &Path, names: &[String]) -> Self {
        Self {
            folder: folder.to_owned(),
            names: names.iter().cloned().collect(),
            now: REPORTS
                .iter()
                .filter(|report| !report.counts())
                .flat_map(|report| report.families)
                .map(|family| family.sample_name())
                .collect(),
            file: None,
        }
    }

    /// The file for samples of this second.
    fn file(&mut self, second: i64) -> anyhow::Result<&mut BufWriter<File>> {
        let block = second.div_euclid(BLOCK);
        if self.file.as_ref().is_none_or(|(open, _)| *open != block) {
            self.end()?;
            let start = Timestamp::from_second(block * BLOCK)?;
            let file = File::create(self.folder.join(format!("{}.om", start.strftime("%Y-%m-%dT%H"))))?;
            self.file = Some((block, BufWriter::new(file)));
        }
        self.file.as_mut().map(|(_, file)| file).context("no file is open")
    }

    /// Call this after the last sample.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        if let Some((_, mut file)) = self.file.take() {
            writeln!(file, "# EOF")?;
            file.flush()?;
        }
        Ok(())
    }

    /// Stores the samples of a scrape; without a page, the scrape failed.
    pub(crate) fn scrape(&mut self, second: i64, page: Option<&str>) -> anyhow::Result<()> {
        self.up(second, page.is_some())?;
        let Some(page) = page else { return Ok(()) };
        let mut file = Vec::with_capacity(2 * page.len());
        let samples = self.samples(second, page, |_| true, &mut file)?;
        writeln!(file, "scrape_samples_scraped{{{TARGET}}} {samples} {second}")?;
        writeln!(file, "scrape_duration_seconds{{{TARGET}}} 0.004 {second}")?;
        self.file(second)?.write_all(&file)?;
        Ok(())
    }

    /// Stores what happens now, between two scrapes.
    pub(crate) fn scrape_now(&mut self, second: i64, page: &str) -> anyhow::Result<()> {
        let mut file = Vec::new();
        self.samples(second, page, |name| self.now.contains(name), &mut file)?;
        self.file(second)?.write_all(&file)?;
        Ok(())
    }

    /// Writes the samples whose names are wanted, and returns how many the page has.
    fn samples(
        &self,
        second: i64,
        page: &str,
        is_wanted: impl Fn(&str) -> bool,
        out: &mut Vec<u8>,
    ) -> anyhow::Result<u64> {
        let mut samples = 0;
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            samples += 1;
            let end_of_name = line
                .find('{')
                .or_else(|| line.find(' '))
                .context("a line without a value")?;
            let (name, rest) = line.split_at(end_of_name);
            if !is_wanted(name) || !self.names.is_empty() && !self.names.contains(name) {
                continue;
            }
            match rest.strip_prefix('{') {
                Some(rest) => writeln!(out, "{name}{{{TARGET},{rest} {second}")?,
                None => writeln!(out, "{name}{{{TARGET}}}{rest} {second}")?,
            }
        }
        Ok(samples)
    }

    /// Whether the target answered.
    pub(crate) fn up(&mut self, second: i64, up: bool) -> anyhow::Result<()> {
        let file = self.file(second)?;
        writeln!(file, "up{{{TARGET}}} {} {second}", u8::from(up))?;
        Ok(())
    }
}
