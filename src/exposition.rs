//! The text that Prometheus reads.
//!
//! Series are rendered when they change, into one block of sample lines per family and operation. A scrape only joins the
//! blocks, and not even that if nothing has changed since the last scrape. The two formats differ only in the headers of
//! families, so a block is rendered once and compressed once.

mod gzip;
mod negotiation;
pub(crate) mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use self::gzip::{Deflated, MemberStart};
pub(crate) use self::negotiation::weighted;
pub use self::negotiation::{Format, accepts_gzip};
use crate::metrics::series::FamilySeries;

/// A set of series that is replaced, removed and expires as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The operation.
    pub operation: Arc<str>,
    /// The name of the report, or of the exporter's own metrics about the operation.
    pub name: &'static str,
}

/// The rendered series of all operations.
#[derive(Debug, Default)]
pub struct Exposition {
    blocks: Mutex<Blocks>,
    joined: RwLock<BTreeMap<(Format, bool), Joined>>,
    /// Locked during a join, so that simultaneous scrapes do the work once.
    joining: Mutex<()>,
}

#[derive(Debug, Default)]
struct Blocks {
    /// By name, so that the order of a page never changes.
    families: BTreeMap<String, FamilyBlocks>,
    parts: BTreeMap<Part, PartState>,
    /// The number of changes so far: a joined page of an older version is out of date.
    version: u64,
}

#[derive(Debug)]
struct FamilyBlocks {
    header: text::Header,
    by_operation: BTreeMap<Arc<str>, Arc<Block>>,
}

#[derive(Debug)]
struct PartState {
    families: BTreeSet<String>,
    expires_at: Option<Instant>,
}

/// The sample lines of one family and operation.
#[derive(Debug)]
struct Block {
    lines: Bytes,
    deflated: OnceLock<Deflated>,
}

/// All blocks in one format, joined.
#[derive(Debug)]
struct Joined {
    version: u64,
    page: Page,
}

#[derive(Clone, Debug)]
enum Page {
    Plain(Bytes),
    Gzip(MemberStart),
}

/// A page, in buffers to be sent one after the other. All but the last one are shared between scrapes and never copied.
#[derive(Debug)]
pub struct Body {
    /// The buffers.
    pub parts: Vec<Bytes>,
}

impl Body {
    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Exposition {
    /// Replaces the series of a part. They do not expire, unless [`Self::keep_until`] says when.
    pub fn replace(&self, part: Part, families: Vec<FamilySeries>) {
        let rendered = text::render(&part.operation, families);
        let mut blocks = self.blocks.lock();
        blocks.remove(&part);
        let mut names = BTreeSet::new();
        for (header, lines) in rendered {
            names.insert(header.family().to_owned());
            let block = Arc::new(Block {
                lines,
                deflated: OnceLock::new(),
            });
            blocks
                .families
                .entry(header.family().to_owned())
                .or_insert_with(|| FamilyBlocks {
                    header,
                    by_operation: BTreeMap::new(),
                })
                .by_operation
                .insert(Arc::clone(&part.operation), block);
        }
        blocks.parts.insert(
            part,
            PartState {
                families: names,
                expires_at: None,
            },
        );
    }

    /// Changes when a part expires.
    pub fn keep_until(&self, part: &Part, expires_at: Instant) {
        if let Some(state) = self.blocks.lock().parts.get_mut(part) {
            state.expires_at = Some(expires_at);
        }
    }

    /// Removes the series of a part.
    pub fn remove(&self, part: &Part) {
        self.blocks.lock().remove(part);
    }

    /// Removes the parts that have expired, and returns them.
    pub fn remove_expired(&self, now: Instant) -> Vec<Part> {
        let mut blocks = self.blocks.lock();
        let expired: Vec<Part> = blocks
            .parts
            .iter()
            .filter(|(_, state)| state.expires_at.is_some_and(|at| at <= now))
            .map(|(part, _)| part.clone())
            .collect();
        for part in &expired {
            blocks.remove(part);
        }
        expired
    }

    /// The page: all blocks, then the metrics of the process, which are rendered for each scrape. Joining takes time in
    /// proportion to the size of the page, so call this where it is allowed to block unless [`Self::is_joined`].
    pub fn page(&self, format: Format, gzip: bool, process: &Registry) -> Result<Body, std::fmt::Error> {
        let end = text::process_part(format, process)?;
        let parts = match self.joined(format, gzip) {
            Page::Plain(blocks) => vec![blocks, end],
            Page::Gzip(start) => start.ended(&end),
        };
        Ok(Body { parts })
    }

    /// The page of some operations, without the metrics of the process. Only the whole page is kept joined: clients may ask
    /// for any number of different selections. Compressing takes time, so call this where it is allowed to block.
    pub fn selection(
        &self,
        format: Format,
        gzip: bool,
        operations: &BTreeSet<String>,
    ) -> Result<Body, std::fmt::Error> {
        let fragments = self.blocks.lock().fragments(format, Some(operations));
        let end = text::process_part(format, &Registry::default())?;
        let parts = if gzip {
            MemberStart::of(fragments.iter().map(Fragment::deflated)).ended(&end)
        } else {
            fragments.iter().map(Fragment::lines).chain([end]).collect()
        };
        Ok(Body { parts })
    }

    /// Whether the page in this format is joined and up to date, so that it costs nothing to send.
    pub fn is_joined(&self, format: Format, gzip: bool) -> bool {
        self.current_page(format, gzip).is_some()
    }

    /// The joined page, if it is up to date. Does not wait for a join.
    fn current_page(&self, format: Format, gzip: bool) -> Option<Page> {
        let version = self.blocks.lock().version;
        let joined = self.joined.read();
        let joined = joined.get(&(format, gzip))?;
        (joined.version == version).then(|| joined.page.clone())
    }

    fn joined(&self, format: Format, gzip: bool) -> Page {
        if let Some(page) = self.current_page(format, gzip) {
            return page;
        }
        let _joining = self.joining.lock();
        // Another scrape may have joined it while this one was waiting.
        if let Some(page) = self.current_page(format, gzip) {
            return page;
        }
        let (version, fragments) = {
            let blocks = self.blocks.lock();
            (blocks.version, blocks.fragments(format, None))
        };
        let page = if gzip {
            Page::Gzip(MemberStart::of(fragments.iter().map(Fragment::deflated)).joined())
        } else {
            let lines: Vec<Bytes> = fragments.iter().map(Fragment::lines).collect();
            Page::Plain(lines.concat().into())
        };
        let joined = Joined {
            version,
            page: page.clone(),
        };
        self.joined.write().insert((format, gzip), joined);
        page
    }
}

/// A piece of a page.
enum Fragment {
    Header(Bytes),
    Block(Arc<Block>),
}

impl Fragment {
    fn lines(&self) -> Bytes {
        match self {
            Fragment::Header(lines) => lines.clone(),
            Fragment::Block(block) => block.lines.clone(),
        }
    }

    fn deflated(&self) -> Deflated {
        match self {
            Fragment::Header(lines) => Deflated::new(lines),
            Fragment::Block(block) => block.deflated.get_or_init(|| Deflated::new(&block.lines)).clone(),
        }
    }
}

impl Blocks {
    fn remove(&mut self, part: &Part) {
        self.version += 1;
        let Some(state) = self.parts.remove(part) else {
            return;
        };
        for name in state.families {
            if let Some(family) = self.families.get_mut(&name) {
                family.by_operation.remove(&part.operation);
                if family.by_operation.is_empty() {
                    self.families.remove(&name);
                }
            }
        }
    }

    /// The fragments of a page; `None`: of all operations.
    fn fragments(&self, format: Format, operations: Option<&BTreeSet<String>>) -> Vec<Fragment> {
        let mut fragments = Vec::new();
        for family in self.families.values() {
            let of = &family.by_operation;
            let blocks: Vec<&Arc<Block>> = match operations {
                None => of.values().collect(),
                Some(names) => names.iter().filter_map(|name| of.get(name.as_str())).collect(),
            };
            if !blocks.is_empty() {
                fragments.push(Fragment::Header(family.header.lines(format)));
                fragments.extend(blocks.into_iter().map(|block| Fragment::Block(Arc::clone(block))));
            }
        }
        fragments
    }
}
