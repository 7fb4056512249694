//! The JSON of `token_info`.

use super::{Answer, AnswerWriter};
use crate::{
    events::{Listing, TOKEN_DESCRIPTION},
    json::Json,
    switches::CampaignsEnvelope,
};

/// The quota that is shown if nothing limits the requests: five licences.
const USUAL_QUOTA: u32 = 5000;

impl AnswerWriter<'_> {
    /// `used` are the requests with this token today.
    pub(crate) fn token_info(&self, used: u32) -> Answer {
        let token = self.switches.token;
        let quota = self.switches.daily_quota.unwrap_or(USUAL_QUOTA);
        let all = used + token.used_by_others;
        let row = |description: &str, used: u32| {
            self.row(vec![
                ("description", Json::text(description)),
                ("token_limit", self.integer(quota.into())),
                ("token_use_today", self.integer(used.into())),
                ("all_token_today", self.integer(all.into())),
                (
                    "available_consumption_options",
                    self.integer(quota.saturating_sub(all).into()),
                ),
            ])
        };
        let mut rows = vec![row(TOKEN_DESCRIPTION, used)];
        if token.several_rows {
            rows.insert(0, row(&format!("{TOKEN_DESCRIPTION} (2)"), token.used_by_others));
        }
        let listing = Listing {
            code: token.code,
            empty: self.switches.now.empty,
            envelope: CampaignsEnvelope::Data,
            broken: None,
        };
        self.list(listing, rows.len(), rows.into_iter())
    }
}
