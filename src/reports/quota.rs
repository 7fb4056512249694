//! `information.php?api=token_info`: the calls that the API has counted today.
//!
//! Other programs may use the same token, and other tokens the same grant: only the API knows all of them. Its answer costs a
//! call. Its description is free text and is not read.

use std::time::Duration;

use serde::Deserialize;

use super::current::{self, Current, CurrentReport, CurrentState, count, gauges};
use super::{INFORMATION, Kind, MINUTE, Outcome, Report, Tally, View};
use crate::metrics::Family;
use crate::metrics::series::Label;
use crate::wire::Endpoint;
use crate::wire::fields::{self, Leaf};

/// The report.
pub static QUOTA: Report = Report {
    name: "quota",
    state_id: 8,
    endpoint: Endpoint {
        script: INFORMATION,
        api: "token_info",
    },
    filter: None,
    seconds: None,
    interval: MINUTE.saturating_mul(60),
    quiet_interval: None,
    timeout: Duration::from_secs(30),
    families: &[&LIMIT, &USED, &LEFT, &OPERATION_USED],
    names: &[],
    fields: &FIELDS,
    kind: Kind::Current(CurrentState {
        reader: |_| current::rows_of(Quota::default()),
        is_urgent: false,
    }),
};

static LIMIT: Family = Family::gauge(
    "wolkvox_token_calls_limit",
    &[],
    "API calls that the token may make in a day, from the field token_limit of token_info.",
);
static USED: Family = Family::gauge(
    "wolkvox_token_calls_used",
    &[],
    "API calls made with the token today, by all programs, from the field token_use_today of token_info.",
);
static LEFT: Family = Family::gauge(
    "wolkvox_token_calls_left",
    &[],
    "API calls that are left today, from the field available_consumption_options of token_info.",
);
static OPERATION_USED: Family = Family::gauge(
    "wolkvox_operation_calls_used",
    &[],
    "API calls made with all tokens of the operation today, from the field all_token_today of token_info.",
);

const FIELDS: [&str; 4] = [
    "token_limit",
    "token_use_today",
    "available_consumption_options",
    "all_token_today",
];

/// The fields that we need of a row.
#[derive(Deserialize)]
struct TokenRow<'a> {
    #[serde(borrow, default)]
    token_limit: Leaf<'a>,
    #[serde(borrow, default)]
    token_use_today: Leaf<'a>,
    #[serde(borrow, default)]
    available_consumption_options: Leaf<'a>,
    #[serde(borrow, default)]
    all_token_today: Leaf<'a>,
}

/// The calls as one answer describes them. `None` where the API gave no value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenCalls {
    /// What the token may use in a day.
    pub limit: Option<u64>,
    /// What the token has used today, by all programs.
    pub used: Option<u64>,
    /// What is left today.
    pub left: Option<u64>,
    /// What all tokens of the operation have used today.
    pub operation_used: Option<u64>,
}

/// Reads the tokens of one answer.
#[derive(Default)]
struct Quota {
    first: Option<TokenCalls>,
    tokens: u64,
    tally: Tally,
}

impl CurrentReport for Quota {
    type Row<'a> = TokenRow<'a>;

    fn row(&mut self, row: &TokenRow<'_>) {
        let leaves = [
            &row.token_limit,
            &row.token_use_today,
            &row.available_consumption_options,
            &row.all_token_today,
        ];
        let [limit, used, left, operation_used]: [Option<u64>; FIELDS.len()] =
            std::array::from_fn(|n| self.tally.read(FIELDS[n], fields::count(leaves[n])));
        let calls = TokenCalls {
            limit,
            used,
            left,
            operation_used,
        };
        if calls == TokenCalls::default() {
            return self.tally.invalid_without(FIELDS[0]);
        }
        self.tokens += 1;
        self.first.get_or_insert(calls);
        self.tally.count(Outcome::Counted);
    }

    fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    fn finish(self, _: usize) -> Current {
        let mut calls = self.first.unwrap_or_default();
        if self.tokens > 1 {
            // Nobody knows which row is ours.
            calls = TokenCalls {
                operation_used: calls.operation_used,
                ..TokenCalls::default()
            };
        }
        let values = [
            (&LIMIT, calls.limit),
            (&USED, calls.used),
            (&LEFT, calls.left),
            (&OPERATION_USED, calls.operation_used),
        ];
        let series = values.map(|(family, calls)| gauges(family, [(Vec::<Label>::new(), calls.map(count))]));
        Current {
            series: series.into(),
            left_out: Vec::new(),
            names: Vec::new(),
            tally: self.tally,
            view: View::Quota(calls),
        }
    }
}
