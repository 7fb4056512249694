//! What happens in a history, and when.

use std::collections::BTreeMap;

use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp, civil::Date, civil::Time, tz::TimeZone};
use serde_json::json;
use wolkvox_exporter::config::Operation;
use wolkvox_exporter::poller::PollSettings;
use wolkvox_simulator::{
    Api, Blackout, CallMix, Centre, DateHeader, EventPlan, Fault, Incident, IncidentKind, Lateness, OperationPlan,
    ScriptedAnswer, ShiftedDates, SimulatedOperation, Switches,
};

/// Just enough calls per hour for rules with a minimum: every call costs run time.
const VOLUME: f64 = 2.0;
/// Dialling campaigns, of which one is stopped.
const CAMPAIGNS: usize = 4;
const SKILLS: usize = 3;
const ROUTING_POINTS: usize = 2;
/// Four of five callers are answered within 20 s, the usual target.
const ANSWERED_WITHIN: u32 = 25;
/// A list lasts all day without being recycled.
const LIST_SIZE: u32 = 220;

/// The campaign that does not dial.
const STOPPED_CAMPAIGN: u32 = 3280;

/// What `token_info` says while another program uses the token.
const BUSY_TOKEN: &str = r#"{"code": "", "error": null, "msg": "1 records were found", "data": [{"token_limit": "5000",
    "token_use_today": "3000", "all_token_today": "3000", "available_consumption_options": "2000"}]}"#;

const ODD_CAMPAIGN: &str = r#"{"code": "200", "error": null, "msg": "1 records were found", "data": [{
    "campaign": "1016 - COBRANZA TEMPRANA - tel1 (100%)", "speed": "quick", "status": "stopped", "skill_id": "4000",
    "records": "many", "clean": "few", "dial": "0", "answer": "0", "no_answer": "0", "busy/congestion/failed": "0",
    "answer_machine": "0", "penetration_day": "low", "penetration_now": "low", "hits": "0 (0.00 %)", "calls_x_min": "0",
    "recycled": "0"}]}"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SceneName {
    /// Nothing goes wrong.
    Quiet,
    /// Two weeks in which nothing goes wrong, then one in which everything does.
    Busy,
}

/// What goes wrong with the exporter, or between it and the API.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    /// Every request is answered with a 503.
    ApiOutage,
    /// Every request is answered with a 403: the token is not valid.
    TokenRefused,
    /// Rows of all dated reports come without a date.
    OddRows,
    /// A daily budget below the calls already used.
    SmallBudget(u32),
    /// Most of the calls that were made with the token are not the exporter's.
    OtherProgram,
    /// A series limit below the number of campaigns.
    SmallLimit(usize),
    /// A campaign is in a state that the vendor's page does not have.
    OddState,
    /// The IVR's report answers as if it had no rows.
    IvrEmpty,
    /// Dates of rows are three hours behind, as in another zone.
    DatesBehind,
    /// Fields of campaigns contain words instead of numbers.
    OddFields,
    /// Nobody is logged in.
    NobodyLoggedIn,
    /// An agent went away in after-call work.
    AgentForgotten,
    /// A third of the agents have a slow network.
    SlowNetwork,
    /// Most agents have lost their connection.
    ConnectionsLost,
    /// The server's clock is a quarter of an hour ahead.
    ClockSkewed,
    /// The API's record limit is so low that a single second can exceed it.
    RecordLimit(u64),
    /// A reload of the configuration fails; the next one succeeds.
    ReloadFailed,
    /// The process is down.
    ExporterDown,
    /// The exporter works, but scrapes fail.
    ScrapesLost,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Disturbance {
    trouble: Trouble,
    from: i64,
    until: i64,
}

impl Disturbance {
    pub(crate) fn holds(&self, second: i64) -> bool {
        (self.from..self.until).contains(&second)
    }

    pub(crate) fn stops_exporter(&self, second: i64) -> bool {
        self.holds(second) && matches!(self.trouble, Trouble::ExporterDown)
    }

    pub(crate) fn stops_scrapes(&self, second: i64) -> bool {
        self.holds(second) && matches!(self.trouble, Trouble::ScrapesLost)
    }

    pub(crate) fn fails_reloads(&self, second: i64) -> bool {
        self.holds(second) && matches!(self.trouble, Trouble::ReloadFailed)
    }

    pub(crate) fn apply(&self, simulated: &SimulatedOperation, operation: &mut Operation, settings: &mut PollSettings) {
        match self.trouble {
            Trouble::ApiOutage => simulated.inject(Fault::status(503)),
            Trouble::TokenRefused => simulated.inject(Fault::WrongToken),
            Trouble::SmallBudget(calls) => operation.daily_calls = calls,
            Trouble::OtherProgram => simulated.answer_with(Api::TokenInfo, ScriptedAnswer::json(BUSY_TOKEN)),
            Trouble::SmallLimit(series) => settings.series_limit = series,
            Trouble::RecordLimit(rows) => settings.cut_at = rows,
            Trouble::OddFields => simulated.answer_with(Api::Campaigns, ScriptedAnswer::json(ODD_CAMPAIGN)),
            Trouble::NobodyLoggedIn => simulated.answer_with(Api::Agents, agents(&[("Logout", 7200); 80])),
            Trouble::AgentForgotten => {
                let mut rows = [("Ready", 30); 60];
                rows[0] = ("ACW", 2400);
                simulated.answer_with(Api::Agents, agents(&rows));
            }
            Trouble::SlowNetwork => simulated.answer_with(Api::Latency, sessions(50, 40)),
            Trouble::ConnectionsLost => simulated.answer_with(Api::Latency, sessions(6, 0)),
            Trouble::OddRows
            | Trouble::OddState
            | Trouble::IvrEmpty
            | Trouble::DatesBehind
            | Trouble::ClockSkewed
            | Trouble::ReloadFailed
            | Trouble::ExporterDown
            | Trouble::ScrapesLost => {}
        }
    }
}

fn answer(rows: &[serde_json::Value]) -> ScriptedAnswer {
    let msg = format!("{} records were found", rows.len());
    ScriptedAnswer::json(json!({"code": "200", "error": null, "msg": msg, "data": rows}).to_string())
}

/// Agents by their states, and for how many seconds they have been in them.
fn agents(states: &[(&str, u32)]) -> ScriptedAnswer {
    let rows = (0..).zip(states).map(|(number, (status, seconds))| {
        json!({"agent_id": format!("{number}"), "agent_status": status, "time_state_now": seconds, "login_time": "2:00:00"})
    });
    answer(&rows.collect::<Vec<_>>())
}

/// Connected agents, some of them with a good network and some with a slow one.
fn sessions(good: u32, slow: u32) -> ScriptedAnswer {
    let rows = (0..good + slow).map(|number| {
        let latency = if number < good { 80 } else { 650 };
        json!({"agent_id": format!("{number}"), "latency_ms": latency, "agent_status": "connected",
            "connection_type": "Ethernet", "platform": "app", "tx_ploss": "0.1", "rx_ploss": "0.1", "network_rejection": "0"})
    });
    answer(&[json!({"by_agent": rows.collect::<Vec<_>>(), "by_ip": [], "by_pbx": []})])
}

/// How answers look at that time.
pub(crate) fn switches(disturbances: &[Disturbance], second: i64) -> Switches {
    let mut switches = Switches::default();
    for one in disturbances.iter().filter(|one| one.holds(second)) {
        match one.trouble {
            Trouble::OddRows => switches.blank_fields.push("date".to_owned()),
            Trouble::OddState => switches.paused_campaigns.push(STOPPED_CAMPAIGN),
            Trouble::IvrEmpty => switches.blackouts.push(Blackout {
                report: Api::Diagram1,
                from: Timestamp::MIN,
                until: Timestamp::MAX,
            }),
            Trouble::DatesBehind => {
                switches.shifted_dates = Some(ShiftedDates {
                    by: SignedDuration::from_hours(-3),
                    every: 1,
                });
            }
            Trouble::ClockSkewed => switches.date_header = DateHeader::Skewed(SignedDuration::from_mins(15)),
            _ => {}
        }
    }
    switches
}

pub(crate) struct Scene {
    incidents: Vec<Incident>,
    pub(crate) disturbances: Vec<Disturbance>,
    planted: Vec<(&'static str, Timestamp, Timestamp, Option<Incident>)>,
}

/// Either kind, with its name in the table of `docs/alerts.md`.
enum Planted {
    Incident(IncidentKind),
    Trouble(Trouble),
}

use IncidentKind::{
    Abandonment, AgentsLeave, CampaignStalled, CampaignStopped, DialFailures, InboundSilent, IvrHangUps, IvrNoInput,
    ListEnds, LongWaits, MachinesKept, Recycled, ShortAbandons, ShortCalls, SlowAnswers, Unanswered,
};
use Planted::{Incident as I, Trouble as T};

/// The third week: day (0 is the first), from, until, incident. It includes traps, at which nothing may fire.
#[rustfmt::skip]
const THIRD_WEEK: [(&str, i64, &str, &str, Planted); 40] = [
    ("callers of a skill give up", 0, "10:00", "11:30", I(Abandonment { skill: Some(0), share: 0.35 })),
    ("callers of a skill are answered late", 0, "11:45", "12:45", I(SlowAnswers { skill: Some(1), share: 0.8 })),
    ("a campaign is in a state that nobody knows", 0, "13:00", "14:00", T(Trouble::OddState)),
    ("a campaign dials nothing", 0, "15:00", "16:30", I(CampaignStalled { campaign: Some(0) })),
    ("rows are dated three hours behind", 0, "17:00", "19:00", T(Trouble::DatesBehind)),
    ("a skill is understaffed all day", 1, "08:00", "14:00", I(Abandonment { skill: Some(1), share: 0.08 })),
    ("a campaign is not started", 1, "09:00", "10:30", I(CampaignStopped { campaign: Some(2) })),
    ("an agent goes away in after-call work", 1, "14:15", "14:50", T(Trouble::AgentForgotten)),
    ("callers hang up in a menu", 1, "15:00", "16:30", I(IvrHangUps { routing_point: Some(0), share: 0.7 })),
    ("agents leave their places for a minute", 1, "17:01", "17:02", I(AgentsLeave { skill: Some(0) })),
    ("answering machines are not hung up", 1, "14:01", "17:00", I(MachinesKept)),
    ("the API is out for two hours", 2, "09:00", "11:00", T(Trouble::ApiOutage)),
    ("meanwhile some more callers give up", 2, "09:00", "11:00", I(Abandonment { skill: Some(0), share: 0.07 })),
    ("nobody is logged in", 2, "12:15", "13:00", T(Trouble::NobodyLoggedIn)),
    ("callers of a skill give up at once", 2, "14:30", "16:00", I(ShortAbandons { skill: Some(2), share: 0.3 })),
    ("many agents have a slow network", 2, "16:15", "16:45", T(Trouble::SlowNetwork)),
    ("three scrapes are lost", 2, "17:03", "17:06", T(Trouble::ScrapesLost)),
    ("the token is refused", 2, "21:00", "22:00", T(Trouble::TokenRefused)),
    ("nothing is dialled", 3, "08:15", "09:25", I(CampaignStalled { campaign: None })),
    ("a list is recycled by hand", 3, "11:00", "11:05", I(Recycled { campaign: Some(0) })),
    ("a short list runs out", 3, "09:30", "13:00", I(ListEnds { campaign: Some(1), records: 700 })),
    ("the report of the IVR stays empty", 3, "14:00", "16:00", T(Trouble::IvrEmpty)),
    ("callers wait long before they give up", 3, "14:30", "16:30", I(LongWaits { skill: Some(0), share: 0.1 })),
    ("the agents of a skill leave their places", 3, "17:01", "17:40", I(AgentsLeave { skill: Some(1) })),
    ("the exporter is down", 3, "21:30", "22:00", T(Trouble::ExporterDown)),
    ("no calls for a skill", 4, "09:00", "11:00", I(InboundSilent { skill: Some(1) })),
    ("the queue of a skill grows", 4, "09:31", "10:30", I(LongWaits { skill: Some(2), share: 0.9 })),
    ("dials fail", 4, "11:30", "13:00", I(DialFailures { campaign: None, share: 0.6 })),
    ("a site loses its connection", 4, "14:01", "14:40", T(Trouble::ConnectionsLost)),
    ("people no longer answer a campaign", 4, "15:00", "16:30", I(Unanswered { campaign: Some(1), share: 0.8 })),
    ("keys are not heard in a menu", 4, "17:00", "18:30", I(IvrNoInput { routing_point: Some(1), share: 0.8 })),
    ("calls are very short", 5, "09:00", "11:00", I(ShortCalls { share: 0.6 })),
    ("more series than the limit", 5, "12:30", "13:00", T(Trouble::SmallLimit(3))),
    ("the day's calls run out", 5, "14:00", "18:00", T(Trouble::SmallBudget(2200))),
    ("rows without dates", 5, "20:00", "20:20", T(Trouble::OddRows)),
    ("words instead of numbers", 6, "10:00", "11:00", T(Trouble::OddFields)),
    ("the server's clock is wrong", 6, "14:00", "14:40", T(Trouble::ClockSkewed)),
    ("a reload fails", 6, "17:00", "18:00", T(Trouble::ReloadFailed)),
    ("another program uses the token", 6, "18:30", "21:30", T(Trouble::OtherProgram)),
    ("more rows than the API gives", 6, "22:00", "23:00", T(Trouble::RecordLimit(1))),
];

impl Scene {
    pub(crate) fn new(name: SceneName, from: Date, zone: &TimeZone) -> anyhow::Result<Self> {
        let mut scene = Self {
            incidents: Vec::new(),
            disturbances: Vec::new(),
            planted: Vec::new(),
        };
        if name == SceneName::Quiet {
            return Ok(scene);
        }
        for (name, day, from_time, until_time, planted) in THIRD_WEEK {
            let date = (0..14 + day).try_fold(from, |date, _| date.tomorrow())?;
            let at = |time: &str| -> anyhow::Result<Timestamp> {
                Ok(date
                    .to_datetime(time.parse::<Time>()?)
                    .to_zoned(zone.clone())?
                    .timestamp())
            };
            let (begin, end) = (at(from_time)?, at(until_time)?);
            match planted {
                I(kind) => {
                    let incident = Incident::new(kind, begin, end);
                    scene.incidents.push(incident);
                    scene.planted.push((name, begin, end, Some(incident)));
                }
                T(trouble) => {
                    scene.disturbances.push(Disturbance {
                        trouble,
                        from: begin.as_second(),
                        until: end.as_second(),
                    });
                    scene.planted.push((name, begin, end, None));
                }
            }
        }
        Ok(scene)
    }

    /// The operation in which it all happens.
    pub(crate) fn plan(&self, zone: &TimeZone) -> OperationPlan {
        let events = EventPlan {
            lateness: Lateness {
                hours: 0.0,
                days: 0.0,
                ..Lateness::default()
            },
            ..EventPlan::as_assumed()
        };
        OperationPlan::new("acme", zone.clone())
            .volume(VOLUME)
            .campaigns(CAMPAIGNS)
            .skills(SKILLS)
            .routing_points(ROUTING_POINTS)
            .list_size(LIST_SIZE)
            .call_mix(CallMix {
                answered_within: ANSWERED_WITHIN,
                ..CallMix::calm()
            })
            .events(events)
            .incidents(self.incidents.clone())
    }

    /// Which incidents were planted and when, for readers of the history.
    pub(crate) fn incidents_json(&self, centre: &Centre) -> anyhow::Result<String> {
        let planted: Vec<_> = self
            .planted
            .iter()
            .map(|(name, from, until, incident)| {
                let target = incident.and_then(|incident| incident.target(centre));
                let labels: BTreeMap<_, _> = target.into_iter().map(|(label, id)| (label, id.to_string())).collect();
                json!({"name": name, "from": from.as_second(), "until": until.as_second(), "labels": labels})
            })
            .collect();
        Ok(serde_json::to_string_pretty(&planted)?)
    }
}
