//! The style sheet, and the content security policy that allows nothing else.

use std::sync::LazyLock;

use axum::http::HeaderValue;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::digest::{SHA256, digest};

/// The content security policy: no scripts, no external resources, and no style but [`STYLE`].
pub(in crate::web) static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    // Always valid: the text is plain ASCII.
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// The style sheet. Below 60rem rows become cards, since tables are unreadable on a phone, and wide ones on a tablet.
pub(super) const STYLE: &str = "
:root {
  color-scheme: light dark;
  --page: #f4f5f7; --surface: #fff; --text: #1c2128; --muted: #59636e; --line: #d8dee4; --track: #e3e7eb;
  --link: #0a58ad; --part: #3478c6; --good: #197334; --bad: #b3261e; --wait: #855900;
  --good-tint: #e4f4e8; --bad-tint: #fdeceb; --wait-tint: #fcf3dc;
  --result0: #2a9d54; --result1: #8a96a3; --result2: #d9822b; --result3: #8459c9;
  --ring: #7cc4e8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1216; --surface: #171b21; --text: #e4e8ec; --muted: #98a2ad; --line: #2c333b; --track: #2a3138;
    --link: #70aef5; --part: #5b9be6; --good: #56c271; --bad: #ff8a80; --wait: #e0ae45;
    --good-tint: #15281b; --bad-tint: #351a19; --wait-tint: #302712;
    --result0: #3fae67; --result1: #7b8794; --result2: #df8e3a; --result3: #a07fe0;
    --ring: #4b93b8;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem 1.25rem 2rem; max-width: 76rem; background: var(--page); color: var(--text);
  font: 15px/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere;
}
header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 1.5rem; }
nav { display: flex; gap: 1rem; }
h1 { font-size: 1.15rem; margin: .25rem 0; }
h2 { font-size: 1.1rem; margin: 0; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .25rem 0; }
a { color: var(--link); }
small { display: block; font-size: .8rem; color: var(--muted); }
.muted, footer { color: var(--muted); }
footer { margin-top: 1.5rem; font-size: .8rem; }
section, .failure {
  margin: 1rem 0; padding: 1rem 1.25rem; background: var(--surface); border: 1px solid var(--line); border-radius: .5rem;
}
.verdict { margin: .75rem 0 1rem; padding: .75rem 1.25rem; border-radius: .5rem; font-size: 1.1rem; }
.verdict.good { background: var(--good-tint); } .verdict.good strong { color: var(--good); }
.verdict.bad { background: var(--bad-tint); } .verdict.bad strong { color: var(--bad); }
.verdict.wait { background: var(--wait-tint); } .verdict.wait strong { color: var(--wait); }
.failure { border-left: .35rem solid var(--bad); } .failure.wait { border-left-color: var(--wait); }
.reason {
  padding: .05rem .4rem; border-radius: .25rem; background: var(--bad-tint); color: var(--bad); font-weight: 600;
}
.wait .reason { background: var(--wait-tint); color: var(--wait); }
.state { white-space: nowrap; font-weight: 600; }
.state.good { color: var(--good); } .state.bad { color: var(--bad); } .state.wait { color: var(--wait); }
table { width: 100%; border-collapse: collapse; margin-top: .5rem; }
th { font-size: .8rem; font-weight: 600; color: var(--muted); text-align: left; vertical-align: bottom; overflow-wrap: break-word; }
th, td { padding: .4rem 1.25rem .4rem 0; border-bottom: 1px solid var(--line); }
td { vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
tbody tr:last-child td { border-bottom: 0; }
.number { text-align: right; }
.name { font-weight: 600; }
.quiet .name { font-weight: 400; }
.quiet { color: var(--muted); }
.figure { white-space: nowrap; }
.bar { width: 7rem; height: .55rem; margin-right: .25rem; border-radius: .2rem; vertical-align: baseline; }
.results .bar { width: 100%; min-width: 9rem; max-width: 18rem; }
.track { fill: var(--track); } .part { fill: var(--part); }
rect.good { fill: var(--good); } rect.bad { fill: var(--bad); } rect.wait { fill: var(--wait); }
.result0 { fill: var(--result0); } .result1 { fill: var(--result1); }
.result2 { fill: var(--result2); } .result3 { fill: var(--result3); }
.agent0 { fill: var(--result0); } .agent1 { fill: var(--ring); } .agent2 { fill: var(--part); }
.agent3 { fill: var(--result2); } .agent4 { fill: var(--result1); } .agent6 { fill: var(--result3); }
.agents .bar { width: 100%; height: 1.1rem; }
.key { display: flex; flex-wrap: wrap; gap: 0 1rem; font-size: .8rem; color: var(--muted); }
.swatch { width: .65rem; height: .65rem; }
.waits { display: flex; flex-wrap: wrap; align-items: end; gap: 0 1rem; }
.histogram { width: 13rem; max-width: 100%; overflow: visible; }
.bin { fill: var(--part); }
.axis { stroke: var(--line); }
.tick { fill: var(--muted); font-size: 9px; text-anchor: middle; }
td.title { min-width: 9rem; }
@media (max-width: 60rem) {
  body { padding: .75rem .75rem 1.5rem; }
  section, .failure { padding: .75rem; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody { display: block; }
  tr {
    display: grid; grid-template-columns: repeat(12, 1fr); gap: .25rem .5rem; padding: .6rem 0;
    border-bottom: 1px solid var(--line);
  }
  tbody tr:last-child { border-bottom: 0; padding-bottom: 0; }
  td { grid-column: span 3; padding: 0; border: 0; }
  .number { text-align: left; }
  .state { white-space: normal; }
  .overview td { grid-column: span 4; }
  td.title { grid-column: span 7; min-width: 0; font-weight: 600; }
  td.title small { font-weight: 400; }
  td.side { grid-column: span 5; text-align: right; }
  td.half { grid-column: span 6; }
  td.wide { grid-column: 1 / -1; }
  .abandonments td.title { grid-column: span 5; }
  .abandonments td.title + td + td { grid-column: span 4; }
  td[data-label]::before { content: attr(data-label); display: block; font-size: .75rem; color: var(--muted); }
  td.inline::before { display: inline; margin-right: .5rem; }
  td.half .bar { width: 5.5rem; }
  .results .bar { max-width: none; }
  .reports td .muted { display: block; font-size: .75rem; }
}
";
