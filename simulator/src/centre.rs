//! The campaigns, skills and routing points of an operation, with invented names.

use super::random::rng_at;

/// Names in the style of real operations. The first six have everything that clients must cope with: the separator inside
/// the name, parentheses, accents and ñ, double quotes, a backslash and double spaces.
const CAMPAIGN_NAMES: [&str; 12] = [
    "COBRANZA TEMPRANA",
    "Fidelización - Clientes Oro",
    "Retención (Hogar) 2026",
    "Campaña Año Escolar",
    "Encuesta \"Tu Opinión\"",
    "Ventas  Móvil \\ Sur",
    "Bienvenida",
    "Renovación de Pólizas",
    "PORTABILIDAD",
    "Agendamiento Citas Médicas",
    "Recuperación de Cartera > 90",
    "Reactivación & Cruce",
];

const STRATEGIES: [&str; 4] = ["tel1 (100%)", "tel1 (100%)", "tel1 (60%) tel2 (40%)", "tel2 (80%)"];

/// Sizes of lists in percent of the dials of a usual day. A list below 100 is recycled during the day.
const LIST_SIZES: [u32; 6] = [130, 45, 160, 70, 200, 35];

const SPEEDS: [u32; 6] = [110, 100, 85, 120, 100, 95];

const SKILL_NAMES: [&str; 5] = [
    "Atención al Cliente",
    "Soporte Técnico",
    "COBRANZA",
    "Fidelización",
    "Ventas",
];

const ROUTING_POINTS: [&str; 3] = ["Línea Principal", "Línea de Pagos", "Soporte Nocturno"];

/// Ids above those of some hundreds of dialling campaigns.
const PREVIEW_CAMPAIGNS: [u32; 3] = [90_110, 90_127, 90_344];

const PURPOSE: u64 = 0x0063_656e_7472_6500;

/// A dialling campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// Four or five digits.
    pub id: u32,
    /// The name, which may hold the separator ` - `.
    pub name: String,
    /// Which telephones are dialled: the last part of `campaign` in the report.
    pub strategy: String,
    /// The skill it is linked to, an index into [`Centre::skills`]; some campaigns have none.
    pub skill: Option<usize>,
    /// The dialler's speed in percent.
    pub speed: u32,
    /// A stopped campaign stays listed (seen in real answers).
    pub stopped: bool,
    /// Whether recycling keeps the counts of dialled records, so that `dial` and `clean` overlap (seen in real answers).
    /// Otherwise they fall back to 0.
    pub overlaps: bool,
    /// Its share of the operation's dials, relative to the other campaigns.
    pub(super) weight: u32,
    /// The size of its list in percent of the dials of a usual day.
    pub(super) list_size: u32,
}

impl Campaign {
    /// Id, name and strategy in one text, as in the report.
    pub fn text(&self) -> String {
        format!("{} - {} - {}", self.id, self.name, self.strategy)
    }
}

/// A skill: a queue with its agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skill {
    /// The id, four digits.
    pub id: u32,
    /// The name.
    pub name: &'static str,
}

/// A routing point: where inbound calls enter the IVR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutingPoint {
    /// The id, four digits.
    pub id: u32,
    /// The name.
    pub name: &'static str,
}

/// How many campaigns, skills and routing points an operation has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) campaigns: usize,
    pub(super) skills: usize,
    pub(super) routing_points: usize,
    /// The size of every list in percent of the dials of a usual day, `None` for lists of different sizes.
    pub(super) list_size: Option<u32>,
}

impl Default for Sizes {
    fn default() -> Sizes {
        Sizes {
            campaigns: 6,
            skills: SKILL_NAMES.len(),
            routing_points: ROUTING_POINTS.len(),
            list_size: None,
        }
    }
}

/// The campaigns, skills and routing points of one operation.
#[derive(Clone, Debug)]
pub struct Centre {
    /// The campaigns in the order in which the report lists them.
    pub campaigns: Vec<Campaign>,
    /// The skills.
    pub skills: Vec<Skill>,
    /// The routing points.
    pub routing_points: Vec<RoutingPoint>,
    /// The ids of the preview campaigns: five digits, different from those of the dialling campaigns.
    pub preview_campaigns: Vec<u32>,
}

impl Centre {
    pub(super) fn new(seed: u64, sizes: Sizes) -> Centre {
        let campaigns = sizes.campaigns;
        let mut rng = rng_at(seed, PURPOSE, 0);
        let skills: Vec<Skill> = (4000..)
            .step_by(10)
            .zip(SKILL_NAMES)
            .take(sizes.skills.max(1))
            .map(|(id, name)| Skill { id, name })
            .collect();
        let routing_points = (7100..)
            .step_by(7)
            .zip(ROUTING_POINTS)
            .take(sizes.routing_points.max(1))
            .map(|(id, name)| RoutingPoint { id, name })
            .collect();
        // The only campaign of an operation is not stopped: nothing would be dialled.
        let stopped = if campaigns > 1 {
            Some((campaigns - 1).min(4))
        } else {
            None
        };
        let campaigns = (0_u32..)
            .zip(0..campaigns)
            .map(|(number, index)| {
                let round = index / CAMPAIGN_NAMES.len();
                let name = CAMPAIGN_NAMES[index % CAMPAIGN_NAMES.len()];
                Campaign {
                    id: if number < 12 && number % 3 != 2 {
                        1000 + number * 700 + rng.u32(0..700)
                    } else {
                        10_000 + number * 80 + rng.u32(0..80)
                    },
                    name: if round == 0 {
                        name.to_owned()
                    } else {
                        format!("{name} {}", round + 1)
                    },
                    strategy: STRATEGIES[index % STRATEGIES.len()].to_owned(),
                    skill: if index % 6 == 3 {
                        None
                    } else {
                        Some(index % skills.len())
                    },
                    speed: SPEEDS[index % SPEEDS.len()],
                    stopped: stopped == Some(index),
                    overlaps: index % 6 == 1,
                    weight: if stopped == Some(index) { 0 } else { rng.u32(2..=6) },
                    list_size: sizes.list_size.unwrap_or(LIST_SIZES[index % LIST_SIZES.len()]),
                }
            })
            .collect();
        Centre {
            campaigns,
            skills,
            routing_points,
            preview_campaigns: PREVIEW_CAMPAIGNS.to_vec(),
        }
    }

    /// The sum of the weights of all campaigns.
    pub(super) fn campaign_weight(&self) -> u32 {
        self.campaigns.iter().map(|campaign| campaign.weight).sum()
    }
}
