//! Writes what was before live counting: the counters, histograms and names of the dated reports, as OpenMetrics with
//! timestamps, for `promtool tsdb create-blocks-from openmetrics`.
//!
//! The questions, the readers and the rules of what counts are those of live polling, and the history of a report ends
//! where the state says that its live counting began: together they have everything, each once.

mod history;
mod journal;
mod options;
mod plan;
mod progress;
mod reader;
mod records;
mod text;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use self::history::{History, SampleGrid};
use self::journal::{Header, Journal, sync_folder, with_ending};
pub use self::options::{Options, TargetLabel};
use self::plan::{Parameters, Plan};
use self::progress::Progress;
use self::reader::{Abort, Reader};
use self::records::Record;
pub use self::text::Written;
use crate::client::{CallBudget, Client, RetryPolicy};
use crate::clock::{Clock, Moment};
use crate::config::{Config, Operation, Shard};
use crate::fetch::pieces::CUT_AT;
use crate::fetch::window;
use crate::ledger::{Ledger, Storage};
use crate::reports::ReportKind;
use crate::reports::call_durations::CallDurations;

/// The file is written in steps of this.
const BUFFER: usize = 1 << 20;

/// Why there is no history, and what to do.
#[derive(Debug)]
pub enum Failure {
    /// It was asked for in a way that cannot be.
    Usage(String),
    /// It did not come to its end.
    Failed(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(text) | Failure::Failed(text) => f.write_str(text),
        }
    }
}

/// How the API is asked.
#[derive(Clone, Copy, Debug)]
pub struct FetchSettings {
    /// When a failed request is sent again.
    pub retry: RetryPolicy,
    /// An answer with so many rows is taken as cut by the API.
    pub cut_at: u64,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            cut_at: CUT_AT,
        }
    }
}

/// What a backfill came to.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// Calls of the API that this run made.
    pub calls: u32,
    /// What was written.
    pub written: Written,
}

/// Reads the past and writes it, to a file or to `stdout`. What an earlier run had read by the time that it was stopped is
/// not read again.
pub async fn run(
    config: &Config,
    options: &Options,
    settings: FetchSettings,
    clock: &Clock,
    stop: &CancellationToken,
    stdout: &mut impl Write,
) -> Result<Summary, Failure> {
    let target_labels = options.target_labels()?;
    let operation = operation(config, options)?;
    options.warn();
    if let Some(output) = options.output.as_deref().filter(|output| output.exists()) {
        return Err(Failure::Usage(format!(
            "{} is there already; move it away, or give another --output",
            output.display()
        )));
    }
    let now = clock.now();
    let ledger = open_state(config, options, operation, now)?;
    let parameters = Parameters::new(options, operation, ledger.as_ref());
    let partial = options.output.as_deref().map(Journal::path_of);
    let before = match &partial {
        Some(path) => interrupted(path, &parameters)?,
        None => None,
    };
    let (header, records, journal) = match before {
        Some((header, records, journal)) => (header, records, Some(journal)),
        None => {
            let own_key = ledger.is_none().then(random_key).transpose()?;
            (Header::new(parameters, now, own_key), Vec::new(), None)
        }
    };
    let plan = Plan::new(options, operation, ledger.as_ref(), header.began)?;
    let journal = match (journal, &partial) {
        (None, Some(path)) => Some(Journal::begin(path, &header)?),
        (journal, _) => journal,
    };
    let own_key = || u128::from_str_radix(header.hash_key.as_deref()?, 16).ok();
    let hash_key = ledger.as_ref().map(Ledger::hash_key).or_else(own_key).ok_or_else(|| {
        Failure::Failed("the interrupted backfill has no key for its hashes: remove its file to begin anew".to_owned())
    })?;
    let today = window::local_date(now, &operation.timezone);
    let calls_used = ledger.as_ref().map_or(0, |ledger| ledger.calls_used(today));
    let grid = SampleGrid::new(plan.from, options.step);
    let counts_days = plan.ends.contains_key(&ReportKind::CallDurations);
    let days = if counts_days {
        CallDurations::all_series(operation.currency.as_deref())
    } else {
        Vec::new()
    };
    let mut history = History::new(grid, config.series_limit, &days);
    records.iter().for_each(|record| history.apply(record));
    drop(records);
    let client = Client::new(operation, settings.retry)
        .map_err(|error| Failure::Failed(format!("operation {}: {error}", operation.name)))?;
    let progress = Progress::new(&plan, &history, &operation.timezone);
    let mut reader = Reader {
        operation,
        settings,
        hourly: options.hourly,
        clock,
        stop,
        client,
        budget: CallBudget::new(operation.daily_calls, today, calls_used),
        hash_key,
        ledger,
        journal,
        history,
        progress,
        calls: 0,
    };
    let read = read_all(&mut reader, &plan).await;
    reader.progress.end_line();
    read?;
    // The rest asks nothing: an exporter may be started.
    reader.ledger = None;
    let written = write(&reader, options, &target_labels, &plan, grid, stdout).map_err(|error| {
        if stop.is_cancelled() {
            return reader.stopped();
        }
        Failure::Failed(format!(
            "the history cannot be written: {error}; when it can, run the same command again{}",
            reader.kept()
        ))
    })?;
    if let Some(journal) = reader.journal {
        journal.remove();
    }
    tracing::info!(
        operation = &*operation.name,
        calls = reader.calls,
        rows = reader.progress.rows(),
        series = written.series,
        samples = written.samples,
        bytes = written.bytes,
        "the history is written"
    );
    Ok(Summary {
        calls: reader.calls,
        written,
    })
}

/// What an interrupted backfill left, if there is anything. It has to have been the same one.
fn interrupted(path: &Path, parameters: &Parameters) -> Result<Option<(Header, Vec<Record>, Journal)>, Failure> {
    let before = Journal::read(path)?;
    if let Some((header, records, _)) = &before {
        if let Some(what) = parameters.difference(&header.parameters) {
            return Err(Failure::Usage(format!(
                "an interrupted backfill was made otherwise ({what} differs): run it with what it had to go on, or remove {} \
                 to begin anew",
                path.display()
            )));
        }
        tracing::info!(answers = records.len(), "going on with what an earlier run had read");
    }
    Ok(before)
}

fn operation<'c>(config: &'c Config, options: &Options) -> Result<&'c Operation, Failure> {
    let names: Vec<&str> = config.operations.iter().map(|operation| &*operation.name).collect();
    let names = names.join(", ");
    let is_elsewhere = |name: &String| config.elsewhere.iter().any(|other| **other == **name);
    if let Some(name) = options.operation.as_ref().filter(|name| is_elsewhere(name)) {
        let shard = Shard::of(name, config.shard.total());
        return Err(Failure::Usage(format!(
            "operation {name} and its state belong to shard {shard}: give --shard.index={shard}, and that shard's --state.path"
        )));
    }
    match (&options.operation, config.operations.as_slice()) {
        (Some(name), operations) => operations
            .iter()
            .find(|operation| *operation.name == **name)
            .ok_or_else(|| Failure::Usage(format!("there is no operation {name}; configured are: {names}"))),
        (None, [only]) => Ok(only),
        (None, _) => Err(Failure::Usage(format!("name one with --operation: {names}"))),
    }
}

/// Opens the state, and never makes one: that would be a birth without a poll.
///
/// Without one it cannot be known what is counted live already, and a history that went into that would spoil it for good:
/// so a last day has to be given.
fn open_state(
    config: &Config,
    options: &Options,
    operation: &Operation,
    now: Timestamp,
) -> Result<Option<Ledger>, Failure> {
    let storage = config
        .state_path
        .as_deref()
        .map(|folder| Storage::file(folder, &operation.name));
    let exists = match &storage {
        Some(storage) => storage.exists().map_err(|error| Failure::Failed(error.to_string()))?,
        None => false,
    };
    let Some(storage) = storage.filter(|_| exists) else {
        if options.to.is_none() {
            let folder = match &config.state_path {
                Some(folder) => format!("{} has no state of it", folder.display()),
                None => "neither state_path nor --state.path is given".to_owned(),
            };
            return Err(Failure::Usage(format!(
                "operation {}: {folder}, so it cannot be known where live counting began. Start the exporter once, stop it, \
                 and give its --state.path; or, if this operation was never counted live, give --to, a day that is over",
                operation.name
            )));
        }
        tracing::warn!(
            operation = &*operation.name,
            "there is no state: if the exporter counts this operation already, stop here and give its --state.path. While it \
             runs, Wolkvox may refuse requests of both, and the calls made are not in its daily_calls"
        );
        return Ok(None);
    };
    Ledger::open(storage, config.new_series_hold, config.series_limit, Moment::at(now))
        .map(Some)
        .map_err(|error| Failure::Failed(error.to_string()))
}

fn random_key() -> Result<u128, Failure> {
    let mut key = [0; 16];
    getrandom::fill(&mut key)
        .map_err(|error| Failure::Failed(format!("the system gives no random numbers: {error}")))?;
    Ok(u128::from_be_bytes(key))
}

/// Reads every report; one that fails does not keep the others from being read.
async fn read_all(reader: &mut Reader<'_>, plan: &Plan) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for (report, end) in &plan.ends {
        match reader.read(*report, plan.from, end).await {
            Ok(()) => {}
            Err(Abort::All(failure)) => return Err(failure),
            Err(Abort::Report(error)) => failed.push(format!("{report}: {error}")),
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "operation {}: {}; nothing is written yet: run the same command again, or leave the report out of the configuration",
        reader.operation.name,
        failed.join("; ")
    )))
}

/// Writes to a file that gets its name when it is complete, or to standard output.
fn write(
    reader: &Reader<'_>,
    options: &Options,
    target_labels: &str,
    plan: &Plan,
    grid: SampleGrid,
    stdout: &mut impl Write,
) -> io::Result<Written> {
    let name = &reader.operation.name;
    let Some(output) = &options.output else {
        let mut out = BufWriter::with_capacity(BUFFER, stdout);
        return text::write(&mut out, name, target_labels, plan, grid, &reader.history, reader.stop);
    };
    let unnamed = with_ending(output, ".new");
    let written = File::create(&unnamed).and_then(|file| {
        let mut out = BufWriter::with_capacity(BUFFER, file);
        let written = text::write(&mut out, name, target_labels, plan, grid, &reader.history, reader.stop)?;
        out.get_ref().sync_all()?;
        fs::rename(&unnamed, output)?;
        sync_folder(output)?;
        Ok(written)
    });
    if written.is_err() {
        // Half of it is of no use, and may fill the disk. What went wrong is told already.
        let _ = fs::remove_file(&unnamed);
    }
    written
}
