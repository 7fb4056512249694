//! The reports of the API that the simulator answers.

/// A report of the API, named after the parameter `api` of its page in the vendor's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// `real_time.php?api=campaigns`: the current state of every campaign.
    Campaigns,
    /// `reports_manager.php?api=cdr_4`: the calls of a window by duration.
    Cdr4,
    /// `reports_manager.php?api=skill_2`: abandoned calls, a row each.
    Skill2,
    /// `reports_manager.php?api=campaign_5`: the calls of preview campaigns, a row each.
    Campaign5,
    /// `reports_manager.php?api=diagram_1`: navigation in the IVR, a row for each step.
    Diagram1,
    /// `real_time.php?api=skills`: queue and service level of every skill, now.
    Skills,
    /// `real_time.php?api=agents`: what every agent does now.
    Agents,
    /// `real_time.php?api=latency`: the network of every agent's session.
    Latency,
    /// `information.php?api=token_info`: how much of the quota is used.
    TokenInfo,
    /// `reports_manager.php?api=skill_10`: answered calls and chats, a row each.
    Skill10,
    /// `reports_manager.php?api=cdr_6`: why calls did not connect, a row for each result.
    Cdr6,
}

impl Api {
    /// All reports.
    pub const ALL: [Api; 11] = [
        Api::Campaigns,
        Api::Cdr4,
        Api::Skill2,
        Api::Campaign5,
        Api::Diagram1,
        Api::Skills,
        Api::Agents,
        Api::Latency,
        Api::TokenInfo,
        Api::Skill10,
        Api::Cdr6,
    ];

    /// The value of the parameter `api`.
    pub const fn name(self) -> &'static str {
        match self {
            Api::Campaigns => "campaigns",
            Api::Cdr4 => "cdr_4",
            Api::Skill2 => "skill_2",
            Api::Campaign5 => "campaign_5",
            Api::Diagram1 => "diagram_1",
            Api::Skills => "skills",
            Api::Agents => "agents",
            Api::Latency => "latency",
            Api::TokenInfo => "token_info",
            Api::Skill10 => "skill_10",
            Api::Cdr6 => "cdr_6",
        }
    }

    /// The report with this value of the parameter `api`.
    pub fn named(name: &str) -> Option<Api> {
        Api::ALL.into_iter().find(|api| api.name() == name)
    }

    /// The report that a request asks for. Each report is answered only by its own script.
    pub(crate) fn requested(path: &str, name: &str) -> Option<Api> {
        Api::named(name).filter(|api| api.path() == path)
    }

    /// The path of the script that answers it.
    pub const fn path(self) -> &'static str {
        match self {
            Api::Campaigns | Api::Skills | Api::Agents | Api::Latency => "/api/v2/real_time.php",
            Api::TokenInfo => "/api/v2/information.php",
            Api::Cdr4 | Api::Skill2 | Api::Campaign5 | Api::Diagram1 | Api::Skill10 | Api::Cdr6 => {
                "/api/v2/reports_manager.php"
            }
        }
    }
}
