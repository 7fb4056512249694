//! The reports about now (`skills`, `agents`, `latency`), and `token_info`.

use jiff::SignedDuration;

use super::{CampaignsEnvelope, Code, EmptyRows, TimeText};
use crate::agents::AgentState;

/// How `skills`, `agents` and `latency` look.
#[derive(Clone, Debug, PartialEq)]
pub struct NowSwitches {
    /// Where the rows are: [`CampaignsEnvelope::Data`] (the default), `BareArray`.
    pub envelope: CampaignsEnvelope,
    /// No rows in `skills` or `agents`: [`EmptyRows::NotFound`], `EmptyList`, `Null`, `NoData`.
    pub empty: EmptyRows,
    /// The time that the counts and ratios of `skills` are about: [`SkillWindow::Day`], `TwentyMinutes`.
    pub skill_window: SkillWindow,
    /// Whether `skills` lists skills without waits in that time.
    pub idle_skills: bool,
    /// Ratios of such a skill: [`IdleRatios::Zero`], `Blank`.
    pub idle_ratios: IdleRatios,
    /// Words of `agent_status` in `agents`: [`AgentWords::Mixed`], `Lower`, `Upper`, `Spanish`.
    pub agent_words: AgentWords,
    /// Whether `agents` lists agents who are not logged in.
    pub logged_out_agents: bool,
    /// `time_state_now`: [`TimeText::Seconds`], `Clock`, `Decimal`.
    pub state_times: TimeText,
    /// Sums of the day in `agents`: [`SumText::Clock`], `Seconds`.
    pub agent_sums: SumText,
    /// `login_time` in `agents`: [`LoginTime::Duration`], `DateTime`.
    pub login_time: LoginTime,
    /// Words of `agent_status` in `latency`: [`SessionWords::English`], `Spanish`.
    pub session_words: SessionWords,
    /// Jitter and loss in `latency`: [`NetworkText::Plain`], `Percent`, `Blank`.
    pub network_text: NetworkText,
    /// `network_rejection` in `latency`: [`RejectionText::Count`], `Percent`.
    pub rejection_text: RejectionText,
    /// Nobody has a session: [`NoSessions::EmptyLists`], `EmptyData`, `NotFound`.
    pub no_sessions: NoSessions,
}

impl Default for NowSwitches {
    fn default() -> NowSwitches {
        NowSwitches {
            envelope: CampaignsEnvelope::Data,
            empty: EmptyRows::default(),
            skill_window: SkillWindow::default(),
            idle_skills: true,
            idle_ratios: IdleRatios::default(),
            agent_words: AgentWords::default(),
            logged_out_agents: true,
            state_times: TimeText::default(),
            agent_sums: SumText::default(),
            login_time: LoginTime::default(),
            session_words: SessionWords::default(),
            network_text: NetworkText::default(),
            rejection_text: RejectionText::default(),
            no_sessions: NoSessions::default(),
        }
    }
}

/// The time that the counts of `skills` are about. The vendor's board shows both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SkillWindow {
    /// Since local midnight.
    #[default]
    Day,
    /// The last twenty minutes; the truth of these is [`Truth::skills_within`](crate::Truth::skills_within).
    TwentyMinutes,
}

impl SkillWindow {
    /// `None` for the day.
    pub(crate) fn time(self) -> Option<SignedDuration> {
        match self {
            SkillWindow::Day => None,
            SkillWindow::TwentyMinutes => Some(SignedDuration::from_mins(20)),
        }
    }
}

/// How a ratio of a skill without waits is written. It means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdleRatios {
    /// `0.00 %`.
    #[default]
    Zero,
    /// As an absent value.
    Blank,
}

/// The values of `agent_status` in `agents`. Words of auxiliary states stay as the operation has named them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AgentWords {
    /// `Ready`, `Talk`, `Ring`, `ACW`, `Logout` (the vendor's page).
    #[default]
    Mixed,
    /// `ready`, `acw`.
    Lower,
    /// `READY`, `ACW`.
    Upper,
    /// `Disponible`, `Hablando`, `Timbrando`, `Gestión`, `Desconectado`; assumed. A client that does not know them can only take
    /// them for auxiliary states.
    Spanish,
}

impl AgentWords {
    /// `None` for an auxiliary state.
    pub(crate) fn text(self, state: AgentState) -> Option<String> {
        let (english, spanish) = match state {
            AgentState::Ready => ("Ready", "Disponible"),
            AgentState::Ring => ("Ring", "Timbrando"),
            AgentState::Talk => ("Talk", "Hablando"),
            AgentState::Acw => ("ACW", "Gestión"),
            AgentState::Logout => ("Logout", "Desconectado"),
            AgentState::Aux => return None,
        };
        Some(match self {
            AgentWords::Mixed => english.to_owned(),
            AgentWords::Lower => english.to_lowercase(),
            AgentWords::Upper => english.to_uppercase(),
            AgentWords::Spanish => spanish.to_owned(),
        })
    }
}

/// How sums of the day are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SumText {
    /// `4:38:08`, as in a real export.
    #[default]
    Clock,
    /// `16688`.
    Seconds,
}

/// What `login_time` is. The vendor's page says both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoginTime {
    /// How long the agent has been logged in, written like the other sums.
    #[default]
    Duration,
    /// When the agent logged in.
    DateTime,
}

/// The values of `agent_status` in `latency`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionWords {
    /// `connected`, `disconnected`.
    #[default]
    English,
    /// `conectado`, `desconectado`.
    Spanish,
}

impl SessionWords {
    pub(crate) fn text(self, connected: bool) -> &'static str {
        match (self, connected) {
            (SessionWords::English, true) => "connected",
            (SessionWords::English, false) => "disconnected",
            (SessionWords::Spanish, true) => "conectado",
            (SessionWords::Spanish, false) => "desconectado",
        }
    }
}

/// How jitter and packet loss are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetworkText {
    /// `0.5`.
    #[default]
    Plain,
    /// `0.5 %`.
    Percent,
    /// As absent values, whatever the truth says.
    Blank,
}

/// What `network_rejection` is: the vendor and those who use it disagree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RejectionText {
    /// `3`.
    #[default]
    Count,
    /// `3 %`.
    Percent,
}

/// What `latency` answers when nobody has a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoSessions {
    /// The three lists, all empty.
    #[default]
    EmptyLists,
    /// 200 with `"data": []`.
    EmptyData,
    /// 404 "Validate dates entered".
    NotFound,
}

/// How `token_info` looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenSwitches {
    /// `code`: [`Code::Zero`] (the default), `Empty`, `Text` and the others. Clients in daily use rely on the first two.
    pub code: Code,
    /// Whether there is a row for each token of the operation, that of the request second.
    pub several_rows: bool,
    /// Requests of the day with other tokens of the operation. The quota is for all of them together.
    pub used_by_others: u32,
}

impl Default for TokenSwitches {
    fn default() -> TokenSwitches {
        TokenSwitches {
            code: Code::Zero,
            several_rows: false,
            used_by_others: 0,
        }
    }
}
