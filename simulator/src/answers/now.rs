//! The JSON of `skills`, `agents` and `latency`.

use jiff::{Timestamp, tz::TimeZone};

use super::{Answer, AnswerWriter, numbers::percent};
use crate::{
    agents::{AgentNow, Connection, Platform, Session},
    events::{Employee, Listing},
    json::{Json, Key},
    queues::SkillNow,
    switches::{
        BrokenRows, EmptyRows, IdleRatios, LoginTime, NetworkText, NoSessions, Numbers, RejectionText, SumText,
    },
};

/// When the agents' program was built.
const VERSION: &str = "2026-10-05";

impl AnswerWriter<'_> {
    /// `services_time` is the parameter of that name.
    pub(crate) fn skills(&self, skills: &[SkillNow], services_time: Option<u32>, broken: Option<BrokenRows>) -> Answer {
        // The filler for the missing parameter was never explained.
        let key = format!("service_level_{}seg", services_time.unwrap_or(0));
        let rows: Vec<Json> = skills
            .iter()
            .filter(|skill| self.switches.now.idle_skills || skill.inbound + skill.queue > 0)
            .map(|skill| self.skill(skill, &key, services_time))
            .collect();
        self.list(self.of_now(broken), rows.len(), rows.into_iter())
    }

    fn skill(&self, skill: &SkillNow, key: &str, seconds: Option<u32>) -> Json {
        let ratio = |part: u64| match self.switches.now.idle_ratios {
            IdleRatios::Blank if skill.inbound == 0 => self.blank(),
            _ => Json::text(percent(part, skill.inbound)),
        };
        let level = |seconds| ratio(skill.answered_within(seconds));
        let fields = [
            ("skill_id", self.id(skill.id)),
            ("skill_name", Json::Text(self.switches.names.text(skill.name))),
            ("calls_in_queue_now", self.integer(skill.queue)),
            ("stat_inbound", self.integer(skill.inbound)),
            ("stat_answer", self.integer(skill.answered)),
            ("stat_abandon", self.integer(skill.abandoned)),
            ("service_level_10seg", level(10)),
            ("service_level_20seg", level(20)),
            ("service_level_30seg", level(30)),
            ("by_abandon", ratio(skill.abandoned)),
        ];
        let mut fields: Vec<(Key, Json)> = fields.map(|(name, value)| (name.into(), value)).into();
        if !fields.iter().any(|(name, _)| name == key) {
            let further = seconds.map_or_else(|| Json::text("0 %"), level);
            fields.push((key.to_owned().into(), further));
        }
        self.row(fields)
    }

    pub(crate) fn agents(&self, agents: &[AgentNow], timezone: &TimeZone, broken: Option<BrokenRows>) -> Answer {
        let rows = agents.iter().map(|agent| self.agent(agent, timezone));
        self.list(self.of_now(broken), agents.len(), rows)
    }

    fn agent(&self, agent: &AgentNow, timezone: &TimeZone) -> Json {
        let switches = &self.switches.now;
        let employee = Employee(agent.number);
        let status = switches.agent_words.text(agent.state);
        let seconds = agent.seconds;
        let busy = seconds.inbound + seconds.outbound + seconds.acw;
        let login = match switches.login_time {
            LoginTime::Duration => self.sum(seconds.login()),
            LoginTime::DateTime => self.moment(agent.login, timezone),
        };
        self.row(vec![
            ("agent_id", Json::Text(employee.id())),
            ("agent_name", Json::Text(employee.name())),
            (
                "agent_status",
                self.text(status.as_deref().or(agent.aux).unwrap_or_default()),
            ),
            ("time_state_now", self.duration(agent.in_state, switches.state_times)),
            ("calls", self.integer(agent.calls.total())),
            ("inbound", self.integer(agent.calls.inbound)),
            ("outbound", self.integer(agent.calls.outbound)),
            ("internal", self.integer(agent.calls.internal)),
            ("ready_time", self.sum(seconds.ready)),
            ("inbound_time", self.sum(seconds.inbound)),
            ("outbound_time", self.sum(seconds.outbound)),
            ("acw_time", self.sum(seconds.acw)),
            ("ring_time", self.sum(seconds.ring)),
            ("aux_time", self.sum(seconds.aux)),
            ("login_time", login),
            ("ocupation", Json::text(percent(busy, seconds.login() - seconds.aux))),
            (
                "aht_time",
                self.sum(busy.checked_div(agent.calls.total()).unwrap_or_default()),
            ),
        ])
    }

    /// `sessions` are also those that have ended.
    pub(crate) fn latency(&self, sessions: &[Session], timezone: &TimeZone, broken: Option<BrokenRows>) -> Answer {
        let listing = self.of_now(None);
        if sessions.is_empty() {
            match self.switches.now.no_sessions {
                NoSessions::EmptyLists => {}
                NoSessions::EmptyData => {
                    let empty = EmptyRows::EmptyList;
                    return self.list(Listing { empty, ..listing }, 0, [].into_iter());
                }
                NoSessions::NotFound => return self.not_found(),
            }
        }
        let limit = self.switches.record_limit.map_or(usize::MAX, |limit| limit as usize);
        let by_agent = sessions.iter().take(limit);
        let by_agent = by_agent.map(|session| self.session(session, timezone));
        let by_ip = sessions.iter().take(3).map(|session| {
            self.row(vec![
                ("ip", Json::Text(Employee(session.agent).address())),
                ("agents", self.integer(1)),
                ("latency_ms", self.integer((session.latency_ms + 7).into())),
            ])
        });
        let worst = sessions.iter().map(|session| session.latency_ms).max();
        let by_pbx = worst.map(|worst| {
            self.row(vec![
                ("pbx", Json::text("pbx-01")),
                ("agents", self.integer(sessions.len() as u64)),
                ("latency_ms", self.integer(worst.into())),
            ])
        });
        let (by_agent, raw) = self.broken_among(broken, by_agent.collect());
        let lists = Json::object([
            ("by_agent", Json::List(by_agent)),
            ("by_ip", Json::List(by_ip.collect())),
            ("by_pbx", Json::List(by_pbx.into_iter().collect())),
        ]);
        self.with_broken(self.list(listing, 1, [lists].into_iter()), raw)
    }

    fn session(&self, session: &Session, timezone: &TimeZone) -> Json {
        let switches = &self.switches.now;
        let employee = Employee(session.agent);
        let rejection = u64::from(session.network_rejection);
        self.row(vec![
            ("agent_id", Json::Text(format!("{}-{}", employee.id(), employee.name()))),
            ("latency_ms", self.integer(session.latency_ms.into())),
            ("ip", Json::Text(employee.address())),
            ("version", Json::text(VERSION)),
            (
                "agent_status",
                Json::text(switches.session_words.text(session.connected)),
            ),
            ("tx_jitter", self.tenths(session.tx_jitter_tenths)),
            ("rx_jitter", self.tenths(session.rx_jitter_tenths)),
            ("tx_ploss", self.tenths(session.tx_loss_tenths)),
            ("rx_ploss", self.tenths(session.rx_loss_tenths)),
            (
                "network_rejection",
                match switches.rejection_text {
                    RejectionText::Count => self.integer(rejection),
                    RejectionText::Percent => Json::Text(format!("{rejection} %")),
                },
            ),
            (
                "connection_type",
                Json::text(match session.connection {
                    Connection::Ethernet => "Ethernet",
                    Connection::Wifi => "Wifi",
                }),
            ),
            (
                "platform",
                Json::text(match session.platform {
                    Platform::App => "app",
                    Platform::Web => "web",
                }),
            ),
            (
                "last_date",
                self.moment(Timestamp::from_second(session.last_at).unwrap_or_default(), timezone),
            ),
        ])
    }

    fn of_now(&self, broken: Option<BrokenRows>) -> Listing {
        Listing {
            code: self.switches.code,
            empty: self.switches.now.empty,
            envelope: self.switches.now.envelope,
            broken,
        }
    }

    /// A sum of the day; hours have no leading zero (seen in real exports).
    fn sum(&self, seconds: u64) -> Json {
        match self.switches.now.agent_sums {
            SumText::Seconds => self.integer(seconds),
            SumText::Clock => Json::Text(format!(
                "{}:{:02}:{:02}",
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60
            )),
        }
    }

    fn tenths(&self, tenths: u32) -> Json {
        let text = format!("{}.{}", tenths / 10, tenths % 10);
        match (self.switches.now.network_text, self.switches.numbers) {
            (NetworkText::Blank, _) => self.blank(),
            (NetworkText::Percent, _) => Json::Text(format!("{text} %")),
            (NetworkText::Plain, Numbers::Json) => Json::Decimal(f64::from(tenths) / 10.0),
            (NetworkText::Plain, Numbers::Text) => Json::Text(text),
        }
    }

    /// A date and time, as in rows.
    fn moment(&self, at: Timestamp, timezone: &TimeZone) -> Json {
        let offset = i64::from(timezone.to_offset(at).seconds());
        Json::Text(self.switches.dates.text(at.as_second() + offset, at.as_second()))
    }
}
