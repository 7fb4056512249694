//! Exports the history before live counting: the counters, histograms and names of the dated reports, as OpenMetrics with
//! timestamps, for `promtool tsdb create-blocks-from openmetrics`.
//!
//! Queries, readers and the rules of what counts are those of live polling, and the history of a report ends where its live
//! counting began, according to the state. So together they have every event once.

mod history;
mod journal;
mod options;
mod plan;
mod progress;
mod reader;
mod records;
mod text;

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
use crate::failure::Failure;
use crate::fetch::pieces::CUT_AT;
use crate::fetch::window;
use crate::ledger::{Ledger, Storage};
use crate::reports::Kind;

/// The buffer for writing the file, in bytes.
const BUFFER: usize = 1 << 20;

/// How the API is queried.
#[derive(Clone, Copy, Debug)]
pub struct FetchSettings {
    /// When a failed request is sent again.
    pub retry: RetryPolicy,
    /// An answer with this many rows is taken to be cut by the API.
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

/// The result of a backfill.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// The API calls that this run made.
    pub calls: u32,
    /// How much was written.
    pub written: Written,
}

/// Reads the history and writes it, to a file or to `stdout`. What an interrupted run has read is not read again.
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
            "{} already exists; move it away, or give another --output",
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
        Failure::Failed("the file of the interrupted backfill has no hash key: remove it to start over".to_owned())
    })?;
    let today = window::local_date(now, &operation.timezone);
    let calls_used = ledger.as_ref().map_or(0, |ledger| ledger.calls_used(today));
    let grid = SampleGrid::new(plan.from, options.step);
    let days: Vec<_> = plan
        .ends
        .keys()
        .filter_map(|report| match report.kind {
            Kind::DayTotals(totals) => Some((totals.zeros)(operation.currency.as_deref())),
            Kind::Current(_) | Kind::Events(_) => None,
        })
        .flatten()
        .collect();
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
    // No more API calls from here on, so the exporter may be started again.
    reader.ledger = None;
    let written = write(&reader, options, &target_labels, &plan, grid, stdout).map_err(|error| {
        if stop.is_cancelled() {
            return reader.stopped();
        }
        Failure::Failed(format!(
            "the history cannot be written: {error}; fix that, and run the same command again{}",
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
        "history written"
    );
    Ok(Summary {
        calls: reader.calls,
        written,
    })
}

/// What an interrupted backfill has read, if there was one. Its parameters must have been the same.
fn interrupted(path: &Path, parameters: &Parameters) -> Result<Option<(Header, Vec<Record>, Journal)>, Failure> {
    let before = Journal::read(path)?;
    if let Some((header, records, _)) = &before {
        if let Some(what) = parameters.difference(&header.parameters) {
            return Err(Failure::Usage(format!(
                "an interrupted backfill had other parameters ({what} differs): run it with the same ones to resume it, or \
                 remove {} to start over",
                path.display()
            )));
        }
        tracing::info!(answers = records.len(), "resuming an interrupted backfill");
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
            .ok_or_else(|| Failure::Usage(format!("there is no operation {name}; configured operations: {names}"))),
        (None, [only]) => Ok(only),
        (None, _) => Err(Failure::Usage(format!("choose one with --operation: {names}"))),
    }
}

/// Opens the state. Never creates one: that would be a birth without a poll.
///
/// Without a state it is unknown what is already counted live. A history that overlaps with that would spoil it for good, so
/// a last day must be given.
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
                Some(folder) => format!("{} has no state for it", folder.display()),
                None => "neither state_path nor --state.path is given".to_owned(),
            };
            return Err(Failure::Usage(format!(
                "operation {}: {folder}, so it is unknown when live counting began. Start the exporter once, stop it, and \
                 give its --state.path; or, if this operation was never counted live, give --to, a day that is over",
                operation.name
            )));
        }
        tracing::warn!(
            operation = &*operation.name,
            "there is no state: if an exporter already counts this operation, stop here and give its --state.path. While both \
             run, Wolkvox may refuse the requests of either, and the exporter does not know about these calls"
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

/// Reads all reports, even if some of them fail.
async fn read_all(reader: &mut Reader<'_>, plan: &Plan) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for (report, end) in &plan.ends {
        match reader.read(report, plan.from, end).await {
            Ok(()) => {}
            Err(Abort::All(failure)) => return Err(failure),
            Err(Abort::Report(error)) => failed.push(format!("{report}: {error}")),
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "operation {}: {}; nothing is written yet: run the same command again, or remove the report from the configuration",
        reader.operation.name,
        failed.join("; ")
    )))
}

/// Writes to standard output, or to a file that gets its name when it is complete.
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
    let incomplete = with_ending(output, ".new");
    let written = File::create(&incomplete).and_then(|file| {
        let mut out = BufWriter::with_capacity(BUFFER, file);
        let written = text::write(&mut out, name, target_labels, plan, grid, &reader.history, reader.stop)?;
        out.get_ref().sync_all()?;
        fs::rename(&incomplete, output)?;
        sync_folder(output)?;
        Ok(written)
    });
    if written.is_err() {
        // An incomplete file is useless and may fill the disk. If it cannot be removed, the first error matters more.
        let _ = fs::remove_file(&incomplete);
    }
    written
}
