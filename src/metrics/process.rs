//! The metrics of the process: build, configuration, and the usual `process_*`.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use procfs::process::Process;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use rustix::process::{Resource, getrlimit};

/// The gauges about the configuration and the certificate.
#[derive(Clone, Debug)]
pub struct ConfigGauges {
    operations: Gauge,
    successful: Gauge,
    success_timestamp: Gauge,
    certificate: CertificateExpiry,
}

/// When the certificate that the exporter serves expires. Without TLS there is none, and no metric.
#[derive(Clone, Debug, Default)]
pub struct CertificateExpiry(Arc<Mutex<Option<Timestamp>>>);

impl CertificateExpiry {
    /// Sets it, at the start and when another certificate takes effect.
    pub fn set(&self, at: Option<Timestamp>) {
        *self.0.lock() = at;
    }
}

impl Collector for CertificateExpiry {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(at) = *self.0.lock() else { return Ok(()) };
        encoder
            .encode_descriptor(
                "wolkvox_exporter_certificate_expiry_timestamp_seconds",
                "When the certificate of the exporter's own HTTPS expires: the first of its chain to do so. Absent without TLS.",
                None,
                MetricType::Gauge,
            )?
            .encode_gauge(&at.as_second())
    }
}

impl ConfigGauges {
    /// What the server sets.
    pub fn certificate(&self) -> CertificateExpiry {
        self.certificate.clone()
    }

    /// Sets how many operations this process polls.
    pub fn set_operations(&self, count: usize) {
        self.operations.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Records whether the configuration could be loaded.
    pub fn record_load(&self, successful: bool, at: Timestamp) {
        self.successful.set(i64::from(successful));
        if successful {
            self.success_timestamp.set(at.as_second());
        }
    }
}

/// The registry of the process, and the gauges in it that change. `configured_at` is when the configuration was read.
pub fn registry(configured_at: Timestamp) -> (Registry, ConfigGauges) {
    let mut registry = Registry::default();
    let build = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("revision", env!("BUILD_REVISION")),
        ("rustc", env!("BUILD_RUSTC")),
    ];
    registry.register(
        "wolkvox_exporter_build",
        "The build of this exporter",
        Info::new(build.to_vec()),
    );
    let gauges = ConfigGauges {
        operations: Gauge::default(),
        successful: Gauge::default(),
        success_timestamp: Gauge::default(),
        certificate: CertificateExpiry::default(),
    };
    gauges.record_load(true, configured_at);
    registry.register(
        "wolkvox_exporter_operations",
        "Operations that this process polls: those of its shard",
        gauges.operations.clone(),
    );
    registry.register(
        "wolkvox_exporter_config_last_reload_successful",
        "Whether the last reading of the configuration was successful",
        gauges.successful.clone(),
    );
    registry.register(
        "wolkvox_exporter_config_last_reload_success_timestamp_seconds",
        "When the configuration was last read successfully",
        gauges.success_timestamp.clone(),
    );
    registry.register_collector(Box::new(gauges.certificate()));
    registry.register_collector(Box::new(ProcessCollector {
        booted: procfs::boot_time_secs().ok(),
        process: Process::myself().ok(),
    }));
    (registry, gauges)
}

/// Reads `/proc/self` at each scrape. On systems without it, these metrics are absent.
#[derive(Debug)]
struct ProcessCollector {
    /// When the system started. Read only once, since its file is the slowest to read.
    booted: Option<u64>,
    /// Its folder, which stays open.
    process: Option<Process>,
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(process) = &self.process else { return Ok(()) };
        let mut gauge = |name: &str, help: &str, value: Option<f64>| match value {
            Some(value) => encoder
                .encode_descriptor(name, help, None, MetricType::Gauge)?
                .encode_gauge(&value),
            None => Ok(()),
        };
        let stat = process.stat().ok();
        let start = stat
            .as_ref()
            .and_then(|stat| Some(self.booted? as f64 + ticks(stat.starttime)));
        let open = process.fd_count().ok().map(|count| count as f64);
        let limit = getrlimit(Resource::Nofile).current.map(|limit| limit as f64);
        let resident = stat.as_ref().map(|stat| stat.rss as f64 * procfs::page_size() as f64);
        let virtual_size = stat.as_ref().map(|stat| stat.vsize as f64);
        gauge("process_open_fds", "Number of open file descriptors.", open)?;
        gauge("process_max_fds", "Maximum number of open file descriptors.", limit)?;
        gauge(
            "process_resident_memory_bytes",
            "Resident memory size in bytes.",
            resident,
        )?;
        gauge(
            "process_virtual_memory_bytes",
            "Virtual memory size in bytes.",
            virtual_size,
        )?;
        gauge(
            "process_start_time_seconds",
            "Start time of the process since the Unix epoch in seconds.",
            start,
        )?;
        if let Some(stat) = stat {
            let help = "Total user and system CPU time spent in seconds.";
            encoder
                .encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?
                .encode_counter::<NoLabelSet, _, u64>(&ticks(stat.utime + stat.stime), None)?;
        }
        Ok(())
    }
}

fn ticks(ticks: u64) -> f64 {
    ticks as f64 / procfs::ticks_per_second() as f64
}
