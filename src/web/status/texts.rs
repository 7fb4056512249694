//! The words of the page in all languages: fixed texts first, then those around figures.

use crate::client::Reason;
use crate::config::Shard;
use crate::language::Language::{self, English, Spanish};
use crate::language::Text;

// The frame of the page.
pub(super) const TITLE: Text = Text::new("Wolkvox exporter", "Exportador de Wolkvox");
pub(super) const ENDPOINTS: Text = Text::new("Endpoints", "Direcciones");
pub(super) const METRICS: Text = Text::new("Metrics", "Métricas");
pub(super) const READY: Text = Text::new("Ready", "Listo");
pub(super) const HEALTHY: Text = Text::new("Healthy", "En marcha");
pub(super) const AS_OF: Text = Text::new("as of ", "datos del ");
pub(super) const THERE_ARE: Text = Text::new("There are: ", "Existen: ");

// What is not well.
pub(super) const WHAT_TO_DO: Text = Text::new("What to do: ", "Qué hacer: ");
pub(super) const LAST_SUCCESS: Text = Text::new("Last success", "Última lectura exitosa");
pub(super) const NEXT_POLL: Text = Text::new("Next poll", "Próxima lectura");
/// The same above a cell on a phone, where there is little room.
pub(super) const LAST_SUCCESS_SHORT: Text = Text::new("Last success", "Leído");
pub(super) const NEXT_POLL_SHORT: Text = Text::new("Next poll", "Próxima");
pub(super) const NONE_YET: Text = Text::new("none yet", "ninguna aún");
pub(super) const ALL_REPORTS: Text = Text::new(" (all reports)", " (todos los reportes)");
pub(super) const CONFIGURATION: Text = Text::new("Configuration", "Configuración");
pub(super) const UP: Text = Text::new("● up", "● al día");
pub(super) const UP_BUT: Text = Text::new("▲ up: ", "▲ leído: ");
pub(super) const PAUSED: Text = Text::new("✕ paused: quota", "✕ en pausa: cupo");
pub(super) const FAILING: Text = Text::new("✕ failing", "✕ falla");
pub(super) const WAITING: Text = Text::new("◌ waiting", "◌ en espera");
pub(super) const LIMITED: Text = Text::new("▲ limited", "▲ con limitaciones");
pub(super) const OLD_CONFIGURATION: Text =
    Text::new("▲ The configuration is an old one", "▲ La configuración es la anterior");
pub(super) const NO_OPERATION: Text = Text::new("◌ No operation is configured", "◌ No hay operaciones configuradas");

// Operations and their reports.
pub(super) const OPERATION: Text = Text::new("Operation", "Operación");
pub(super) const LOCAL_TIME: Text = Text::new("Local time ", "Hora local ");
pub(super) const REPORTS: Text = Text::new("Reports", "Reportes");
pub(super) const REPORT: Text = Text::new("Report", "Reporte");
pub(super) const STATE: Text = Text::new("State", "Estado");
pub(super) const ROWS_COUNTED: Text = Text::new("Rows counted", "Filas contadas");
pub(super) const ROWS: Text = Text::new("Rows", "Filas");
pub(super) const LAST_POLL_TOOK: Text = Text::new("Last poll took", "La última lectura tardó");
pub(super) const TOOK: Text = Text::new("Took", "Tardó");
pub(super) const API_CALLS_TODAY: Text = Text::new("API calls today", "Consultas a la API hoy");
pub(super) const API_CALLS_USED_TODAY: Text = Text::new("API calls used today", "Consultas a la API usadas hoy");
pub(super) const IN_MEMORY: Text = Text::new(
    "Counts are kept in memory alone and begin at 0 with each start: set state_path.",
    "Los conteos están solo en memoria y comienzan en 0 con cada arranque: configure state_path.",
);
pub(super) const EXPIRED: Text = Text::new(
    "Not shown: the last data is older than max_age.",
    "No se muestra: los últimos datos son más viejos que max_age.",
);
pub(super) const NOT_READ: Text = Text::new("Not read yet.", "Todavía sin leer.");

// Assumptions.
pub(super) const ASSUMPTIONS: Text = Text::new("Assumptions", "Supuestos");
pub(super) const TAKEN_FOR_GRANTED: Text = Text::new(
    "The exporter takes these for granted about the API, and they did not hold in the last 24 hours.",
    "El exportador da esto por sentado sobre la API, y no se cumplió en las últimas 24 horas.",
);
pub(super) const LAST_SEEN: Text = Text::new("last", "la última vez");
pub(super) const UNKNOWN_WORDS: Text = Text::new("Unknown: ", "Desconocido: ");

// Queues.
pub(super) const QUEUES_NOW: Text = Text::new("Queues now", "Colas ahora");
pub(super) const NO_SKILL: Text = Text::new("The API lists no skill.", "La API no lista ningún skill.");
pub(super) const NOBODY_WAITS: Text = Text::new(
    "Nobody waits, and nobody has called.",
    "Nadie espera y nadie ha llamado.",
);
pub(super) const SKILL: Text = Text::new("Skill", "Skill");
pub(super) const IN_QUEUE: Text = Text::new("Waiting", "En cola");
pub(super) const SERVICE_LEVEL: Text = Text::new("Service level", "Nivel de servicio");
pub(super) const ABANDONED: Text = Text::new("Abandoned", "Abandonadas");
pub(super) const CALLS: Text = Text::new("Calls", "Llamadas");

// Agents.
pub(super) const AGENTS: Text = Text::new("Agents", "Agentes");
pub(super) const AGENTS_NOW: Text = Text::new("Agents now", "Agentes ahora");
/// In the order of `reports::agents::STATES`.
pub(super) const AGENT_STATES: [Text; 7] = [
    Text::new("ready", "disponibles"),
    Text::new("ringing", "timbrando"),
    Text::new("talking", "en llamada"),
    Text::new("after-call work", "en post-llamada"),
    Text::new("auxiliary", "en pausa"),
    Text::new("logged out", "desconectados"),
    Text::new("other", "en otro estado"),
];
pub(super) const NOBODY_IS_LOGGED_IN: Text = Text::new("Nobody is logged in.", "No hay agentes conectados.");
pub(super) const AUXILIARY: Text = Text::new("Auxiliary: ", "Pausas: ");
pub(super) const OTHERS: Text = Text::new(", others ", ", otras ");
pub(super) const LONGEST_IN: Text = Text::new("Longest in ", "El que más lleva ");
pub(super) const CONNECTED: Text = Text::new(" connected", " con conexión");
pub(super) const ABOVE_400_MS: Text = Text::new(" above 400 ms", " con más de 400 ms");
pub(super) const LOSING_PACKETS: Text = Text::new(" losing packets", " con pérdida de paquetes");

// Campaigns.
pub(super) const CAMPAIGNS: Text = Text::new("Campaigns", "Campañas");
pub(super) const CAMPAIGN: Text = Text::new("Campaign", "Campaña");
pub(super) const NO_CAMPAIGN: Text = Text::new("The API lists none.", "La API no lista ninguna.");
pub(super) const IS_DIALLING: Text = Text::new(" dialling", " marcando");
pub(super) const DIALLING: Text = Text::new("Dialling", "Marcando");
pub(super) const CAMPAIGNS_DIALLING: Text = Text::new("Campaigns dialling", "Campañas marcando");
pub(super) const CALLS_A_MINUTE_OF_ALL: Text = Text::new(" calls a minute", " llamadas por minuto");
pub(super) const CALLS_A_MINUTE: Text = Text::new("Calls a minute", "Llamadas por minuto");
pub(super) const CALLS_PER_MINUTE: Text = Text::new("Calls/min", "Llam./min");
pub(super) const COLOURS: Text = Text::new("Colours of results", "Colores de los resultados");
/// In the order of `reports::campaigns::DIAL_RESULTS`.
pub(super) const DIAL_RESULTS: [Text; 4] = [
    Text::new("answered", "contestadas"),
    Text::new("no answer", "no contestan"),
    Text::new("busy or failed", "ocupadas o fallidas"),
    Text::new("machine", "buzón de voz"),
];
pub(super) const PENETRATION_TODAY: Text = Text::new("Penetration today", "Penetración hoy");
pub(super) const NOW: Text = Text::new("Now", "Ahora");
pub(super) const RESULTS: Text = Text::new("Results", "Resultados");
pub(super) const STARTED: Text = Text::new("▶ started", "▶ en marcha");
pub(super) const STOPPED: Text = Text::new("■ stopped", "■ detenida");

// Abandonment.
pub(super) const ABANDONMENT: Text = Text::new("Abandoned", "Abandono");
pub(super) const ABANDONED_LAST_HOUR: Text = Text::new("Abandoned, last hour", "Abandonadas, última hora");
pub(super) const NOTHING_COUNTED: Text =
    Text::new("No calls or chats were counted.", "No se contaron llamadas ni chats.");
pub(super) const OF_ALL_CALLS: Text = Text::new("Of all calls and chats", "Del total de llamadas y chats");
pub(super) const OF_ALL: Text = Text::new("Of all", "Del total");
pub(super) const WAITED: Text = Text::new("Waited before giving up", "Espera antes de abandonar");
pub(super) const TIME_TO_ABANDONMENT: Text = Text::new("Time to abandonment", "Tiempo hasta el abandono");
pub(super) const IN_THE_LAST_HOUR: Text = Text::new("in the last 60 min", "en los últimos 60 min");

/// What there may be several of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noun {
    one: Text,
    many: Text,
}

impl Noun {
    /// One or several, in a language.
    pub(super) const fn of(self, count: u64, language: Language) -> &'static str {
        language.say(if count == 1 { self.one } else { self.many })
    }
}

pub(super) const AN_OPERATION: Noun = Noun {
    one: Text::new("operation", "operación"),
    many: Text::new("operations", "operaciones"),
};
pub(super) const A_REPORT: Noun = Noun {
    one: Text::new("report", "reporte"),
    many: Text::new("reports", "reportes"),
};
pub(super) const A_SKIPPED_POLL: Noun = Noun {
    one: Text::new("poll skipped to save calls", "lectura omitida para ahorrar consultas"),
    many: Text::new(
        "polls skipped to save calls",
        "lecturas omitidas para ahorrar consultas",
    ),
};
pub(super) const AN_UNREAD_ROW: Noun = Noun {
    one: Text::new("row not understood", "fila que no se entiende"),
    many: Text::new("rows not understood", "filas que no se entienden"),
};
pub(super) const AN_UNREAD_VALUE: Noun = Noun {
    one: Text::new("value not understood", "valor que no se entiende"),
    many: Text::new("values not understood", "valores que no se entienden"),
};
pub(super) const A_CUT_SECOND: Noun = Noun {
    one: Text::new(
        "second cut by the API's record limit",
        "segundo cortado por el límite de registros de la API",
    ),
    many: Text::new(
        "seconds cut by the API's record limit",
        "segundos cortados por el límite de registros de la API",
    ),
};
pub(super) const A_DECREASED_DAY: Noun = Noun {
    one: Text::new("day total that decreased", "total de un día que bajó"),
    many: Text::new("day totals that decreased", "totales de un día que bajaron"),
};

impl Language {
    /// The name of the language, in itself.
    pub(super) const fn own_name(self) -> &'static str {
        match self {
            English => "English",
            Spanish => "Español",
        }
    }

    pub(super) fn of(self, part: &str, whole: &str) -> String {
        match self {
            English => format!("{part} of {whole}"),
            Spanish => format!("{part} de {whole}"),
        }
    }

    /// Of reports.
    pub(super) fn failing(self, part: &str) -> String {
        match self {
            English => format!("✕ {part} failing"),
            Spanish => format!("✕ {part} con fallas"),
        }
    }

    /// Of reports.
    pub(super) fn waiting(self, part: &str) -> String {
        match self {
            English => format!("◌ {part} waiting for the first poll"),
            Spanish => format!("◌ {part} en espera de la primera lectura"),
        }
    }

    /// Of operations.
    pub(super) fn limited(self, part: &str) -> String {
        match self {
            English => format!("▲ {part} limited"),
            Spanish => format!("▲ {part} con limitaciones"),
        }
    }

    /// Of reports.
    pub(super) fn all_is_well(self, reports: &str) -> String {
        match self {
            English => format!("● All is well: {reports} up"),
            Spanish => format!("● Todo en orden: {reports} al día"),
        }
    }

    /// Of reports.
    pub(super) fn up(self, reports: &str) -> String {
        match self {
            English => format!("{reports} up"),
            Spanish => format!("{reports} al día"),
        }
    }

    /// Of reports, which are up, but not well.
    pub(super) fn read(self, reports: &str) -> String {
        match self {
            English => format!("{reports} up"),
            Spanish => format!("{reports} con lectura"),
        }
    }

    pub(super) fn within(self, operations: &str) -> String {
        match self {
            English => format!(" in {operations}"),
            Spanish => format!(" en {operations}"),
        }
    }

    pub(super) fn none_of_shard(self, shard: Shard) -> String {
        let (index, total) = (shard.index(), shard.total());
        match self {
            English => format!("◌ No operation belongs to {shard}"),
            Spanish => format!("◌ Ninguna operación le toca al fragmento {index} de {total}"),
        }
    }

    pub(super) fn shard(self, shard: Shard) -> String {
        let (index, total) = (shard.index(), shard.total());
        match self {
            English => shard.to_string(),
            Spanish => format!("fragmento {index} de {total}"),
        }
    }

    pub(super) fn unknown_operation(self, name: &str, shard: Shard) -> String {
        let of_shard = self.shard(shard);
        match (self, shard) {
            (English, Shard::ONLY) => format!("There is no operation “{name}”"),
            (English, _) => format!("There is no operation “{name}” in {of_shard}"),
            (Spanish, Shard::ONLY) => format!("No existe la operación “{name}”"),
            (Spanish, _) => format!("No existe la operación “{name}” en el {of_shard}"),
        }
    }

    pub(super) fn all_operations(self, operations: &str) -> String {
        match self {
            English => format!("← All {operations}"),
            Spanish => format!("← Las {operations}"),
        }
    }

    pub(super) fn refreshes(self, seconds: u32) -> String {
        match self {
            English => format!("refreshes every {seconds} s"),
            Spanish => format!("se actualiza cada {seconds} s"),
        }
    }

    pub(super) fn and_more(self, count: usize) -> String {
        match self {
            English => format!(" and {count} more"),
            Spanish => format!(" y {count} más"),
        }
    }

    pub(super) fn without_calls(self, skills: usize) -> String {
        match self {
            English => format!("Without calls: {skills} more."),
            Spanish => format!("Sin llamadas: {skills} más."),
        }
    }

    pub(super) fn without_calls_or_chats(self, skills: usize) -> String {
        match self {
            English => format!("Without calls or chats: {skills} more."),
            Spanish => format!("Sin llamadas ni chats: {skills} más."),
        }
    }

    pub(super) fn used_by_others(self, calls: &str) -> String {
        match self {
            English => {
                format!("Other programs used {calls} more calls of this operation today, as the API counts.")
            }
            Spanish => format!("Según la API, otros programas usaron hoy {calls} consultas más de esta operación."),
        }
    }

    pub(super) fn answered_within(self, seconds: impl std::fmt::Display) -> String {
        match self {
            English => format!("Answered within {seconds} s"),
            Spanish => format!("Contestadas en {seconds} s"),
        }
    }

    pub(super) fn since_start(self, span: &str) -> String {
        match self {
            English => format!("since start ({span})"),
            Spanish => format!("desde el arranque ({span})"),
        }
    }

    pub(super) fn half_within(self, time: &str) -> String {
        match self {
            English => format!("half within {time}"),
            Spanish => format!("la mitad en {time}"),
        }
    }

    pub(super) fn half_after(self, time: &str) -> String {
        match self {
            English => format!("half after more than {time}"),
            Spanish => format!("la mitad tras más de {time}"),
        }
    }

    pub(super) fn up_to(self, time: &str) -> String {
        match self {
            English => format!("up to {time}"),
            Spanish => format!("hasta {time}"),
        }
    }

    pub(super) fn between(self, from: &str, to: &str) -> String {
        match self {
            English => format!("{from} to {to}"),
            Spanish => format!("{from} a {to}"),
        }
    }

    pub(super) fn more_than(self, time: &str) -> String {
        match self {
            English => format!("more than {time}"),
            Spanish => format!("más de {time}"),
        }
    }

    pub(super) fn ago(self, span: &str) -> String {
        match self {
            English => format!("{span} ago"),
            Spanish => format!("hace {span}"),
        }
    }

    pub(super) fn in_time(self, span: &str) -> String {
        match self {
            English => format!("in {span}"),
            Spanish => format!("en {span}"),
        }
    }

    pub(super) const fn at_once(self) -> &'static str {
        match self {
            English => "now",
            Spanish => "ya",
        }
    }

    pub(super) fn every(self, span: &str) -> String {
        match self {
            English => format!("every {span}"),
            Spanish => format!("cada {span}"),
        }
    }

    /// Why a report failed, in a word or two. In English it is the label `reason`.
    pub(super) const fn reason(self, reason: Reason) -> &'static str {
        match self {
            English => reason.name(),
            Spanish => match reason {
                Reason::Connect => "sin conexión",
                Reason::Timeout => "espera agotada",
                Reason::Tls => "conexión segura",
                Reason::Status => "error de la API",
                Reason::Concurrency => "token en uso",
                Reason::Quota => "cupo",
                Reason::Auth => "autenticación",
                Reason::Decode => "respuesta ilegible",
                Reason::Truncated => "respuesta cortada",
                Reason::TooLarge => "respuesta muy grande",
                Reason::Clock => "reloj",
                Reason::State => "sin guardar",
                Reason::Other => "otro motivo",
            },
        }
    }
}
