//! The words of enumerations and the keys of buckets.

use crate::durations::DurationBucket;

/// The case of a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WordCase {
    /// `started`.
    #[default]
    Lower,
    /// `Started`.
    Capital,
    /// `STARTED`.
    Upper,
}

impl WordCase {
    pub(crate) fn apply(self, word: &str) -> String {
        match self {
            WordCase::Lower => word.to_lowercase(),
            WordCase::Upper => word.to_uppercase(),
            WordCase::Capital => {
                let (first, rest) = word.split_at(word.len().min(1));
                format!("{}{rest}", first.to_uppercase())
            }
        }
    }
}

/// The values of `result` in `skill_2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaitWords {
    /// `abandoned`, `answered` (the vendor's page).
    #[default]
    Lower,
    /// `ABANDON`, `ANSWER`.
    Upper,
    /// `Abandonada`, `Atendida`.
    Spanish,
    /// `ABANDONADA`, `CONTESTADA`; assumed.
    UpperSpanish,
}

/// The values of `result` in `skill_10`. The vendor's page has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnswerWords {
    /// `answered`.
    #[default]
    Answered,
    /// `ANSWER`.
    Answer,
    /// `Atendida`.
    Atendida,
    /// `Contestada`.
    Contestada,
}

impl AnswerWords {
    pub(crate) fn text(self) -> &'static str {
        match self {
            AnswerWords::Answered => "answered",
            AnswerWords::Answer => "ANSWER",
            AnswerWords::Atendida => "Atendida",
            AnswerWords::Contestada => "Contestada",
        }
    }
}

/// The values of `type_interaction` in `skill_2` and `skill_10`. Only the first are on the vendor's page. A channel stays the same in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChannelWords {
    /// `chat-web`, `chat-whatsapp`, `omni-email`, `transfer`.
    #[default]
    Hyphens,
    /// `chat_web`, `chat_whatsapp`, `omni_email`, `transfer`.
    Underscores,
    /// `whatsapp`, `email`, `inbound_transfer`: what the word means without its kind. Where that would say nothing, as for
    /// `chat_web` and `omni_twitter`, the kind stays.
    Bare,
}

impl ChannelWords {
    pub(crate) fn text(self, word: &str) -> String {
        let bare = match word {
            "chat-whatsapp" => "whatsapp",
            "chat-facebook" => "facebook",
            "chat-instagram" => "instagram",
            "chat-telegram" => "telegram",
            "omni-email" => "email",
            "transfer" => "inbound_transfer",
            other => other,
        };
        match self {
            ChannelWords::Hyphens => word.to_owned(),
            ChannelWords::Underscores => word.replace('-', "_"),
            ChannelWords::Bare => bare.replace('-', "_"),
        }
    }
}

/// The values of `type_of_row`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowTypes {
    /// `preview`, `call`, `total` (the vendor's page).
    #[default]
    English,
    /// `previa`, `llamada`, `total`; assumed.
    Spanish,
}

impl RowTypes {
    pub(crate) fn text(self, kind: &'static str) -> &'static str {
        match (self, kind) {
            (RowTypes::Spanish, "preview") => "previa",
            (RowTypes::Spanish, "call") => "llamada",
            _ => kind,
        }
    }
}

/// The keys of `cdr_4`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BucketKeys {
    /// `6_20_seg`, `greater_than_121` (the vendor's page).
    #[default]
    Underscores,
    /// `6-20 seg`, `greater than 121`; assumed.
    Hyphens,
    /// `6 a 20 seg`, `mayor a 121`; assumed.
    Spanish,
}

impl BucketKeys {
    pub(crate) fn key(self, bucket: DurationBucket) -> &'static str {
        match (self, bucket) {
            (BucketKeys::Underscores, bucket) => bucket.key(),
            (BucketKeys::Hyphens, DurationBucket::UpTo5) => "0-5 seg",
            (BucketKeys::Hyphens, DurationBucket::UpTo20) => "6-20 seg",
            (BucketKeys::Hyphens, DurationBucket::UpTo60) => "21-60 seg",
            (BucketKeys::Hyphens, DurationBucket::UpTo120) => "61-120 seg",
            (BucketKeys::Hyphens, DurationBucket::Longer) => "greater than 121",
            (BucketKeys::Spanish, DurationBucket::UpTo5) => "0 a 5 seg",
            (BucketKeys::Spanish, DurationBucket::UpTo20) => "6 a 20 seg",
            (BucketKeys::Spanish, DurationBucket::UpTo60) => "21 a 60 seg",
            (BucketKeys::Spanish, DurationBucket::UpTo120) => "61 a 120 seg",
            (BucketKeys::Spanish, DurationBucket::Longer) => "mayor a 121",
        }
    }
}
