//! Dates, times, words, ids and names in other forms.

use wolkvox_exporter::reports::{ABANDONED_CALLS, CAMPAIGNS, IVR, PREVIEW_CALLS};

use super::{Centre, call, interactions, row, rows, waits};

#[tokio::test]
async fn dates_in_every_plausible_format_are_read() {
    let mut centre = Centre::new().await;
    let dates = [
        "2026-11-26 09:01:00",
        "2026-11-26 09:01:00.123",
        "2026-11-26T09:01:00",
        "2026-11-26T09:01:00-05:00",
        "2026-11-26T14:01:00Z",
        "2026/11/26 09:01:00",
        "26/11/2026 09:01:00",
        "2026-11-26 09:01",
        "2026-11-26 9:01:00",
    ];
    let calls: Vec<String> = dates
        .iter()
        .enumerate()
        .map(|(n, date)| call(&format!("c{n}"), &[("date", date)]))
        .collect();
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    let samples = centre.poll(&ABANDONED_CALLS, 5, &calls).await;
    assert_eq!(interactions(&samples, "abandoned"), dates.len() as f64);
    assert_eq!(rows(&samples, &ABANDONED_CALLS, "invalid"), 0.0);
    let newest = samples.get(
        "wolkvox_report_newest_row_timestamp_seconds",
        &[("report", "abandoned_calls")],
    );
    assert_eq!(newest, Some(super::after(1).as_second() as f64));

    // The vendor changes the format from one answer to the next: nothing counts twice.
    let again: Vec<String> = (0..dates.len()).map(|n| call(&format!("c{n}"), &[])).collect();
    let again: Vec<&str> = again.iter().map(String::as_str).collect();
    let samples = centre.poll(&ABANDONED_CALLS, 10, &again).await;
    assert_eq!(interactions(&samples, "abandoned"), dates.len() as f64);
}

/// The fifth of June or the sixth of May? The day comes first where the row then lies in what was asked for, and
/// elsewhere the row is invalid.
#[tokio::test]
async fn a_date_with_the_day_first_must_lie_where_it_was_asked_for() {
    let mut centre = Centre::new().await;
    let far = call("c", &[("date", "11/12/2026 09:01:00")]);
    let near = call("d", &[("date", "25/11/2026 23:00:00")]);
    let samples = centre.poll(&ABANDONED_CALLS, 5, &[&far, &near]).await;
    assert_eq!(rows(&samples, &ABANDONED_CALLS, "invalid"), 1.0);
    assert_eq!(rows(&samples, &ABANDONED_CALLS, "baseline"), 1.0);
}

#[tokio::test]
async fn waits_may_have_fractions_and_absurd_ones_are_left_out() {
    let mut centre = Centre::new().await;
    let calls = [
        call("a", &[("abandon_time", "90.5")]),
        call("b", &[("abandon_time", "----")]),
        call("c", &[("abandon_time", "99999999999")]),
        call("d", &[("abandon_time", "00:00:10")]),
    ];
    let samples = centre
        .poll(&ABANDONED_CALLS, 5, &calls.each_ref().map(String::as_str))
        .await;
    assert_eq!(interactions(&samples, "abandoned"), 4.0);
    assert_eq!(waits(&samples), (2.0, 100.5));
    let labels = [("report", "abandoned_calls"), ("field", "abandon_time")];
    assert_eq!(samples.get("wolkvox_report_invalid_fields_total", &labels), Some(1.0));
}

#[tokio::test]
async fn words_are_known_by_their_beginning_or_meaning() {
    let mut centre = Centre::new().await;
    let calls = [
        call("a", &[("result", "CONTESTADA"), ("type_interaction", "chat_web")]),
        call("b", &[("result", "Atendida"), ("type_interaction", "whatsapp")]),
        call("c", &[("result", "ANSWER"), ("type_interaction", "email")]),
        call(
            "d",
            &[("result", "Abandonada"), ("type_interaction", "inbound_transfer")],
        ),
    ];
    let samples = centre
        .poll(&ABANDONED_CALLS, 5, &calls.each_ref().map(String::as_str))
        .await;
    let count = |channel, result| {
        let labels = [("channel", channel), ("result", result)];
        samples.get("wolkvox_skill_interactions_total", &labels)
    };
    assert_eq!(count("chat", "answered"), Some(2.0));
    assert_eq!(count("omni", "answered"), Some(1.0));
    assert_eq!(count("voice", "abandoned"), Some(1.0));
    assert!(samples.all("wolkvox_report_unknown_word", &[]).is_empty());

    let preview = [
        ("type_of_row", "Llamada"),
        ("campaign_id", "7"),
        ("conn_id", "c"),
        ("date", "2026-11-26 09:01:00"),
        ("call_result", "answer"),
        ("hang_up", "Cliente"),
        ("time", "12"),
    ];
    let record = [
        ("type_of_row", "previa"),
        ("customer_id", "1"),
        ("result", "ok"),
        ("conn_id", ""),
    ];
    let total = [("type_of_row", "Subtotal")];
    let previews = [row(&preview, &[]), row(&preview, &record), row(&preview, &total)];
    let samples = centre
        .poll(&PREVIEW_CALLS, 5, &previews.each_ref().map(String::as_str))
        .await;
    assert_eq!(
        samples.get("wolkvox_preview_calls_total", &[("hang_up", "customer")]),
        Some(1.0)
    );
    assert_eq!(
        samples.get("wolkvox_preview_records_total", &[("result", "ok")]),
        Some(1.0)
    );
    assert_eq!(rows(&samples, &PREVIEW_CALLS, "ignored"), 1.0);

    let step = [
        ("rp_id", "3"),
        ("conn_id", "i"),
        ("date", "2026-11-26 09:01:00"),
        ("result", "Colgada"),
        ("time", "7"),
    ];
    let samples = centre.poll(&IVR, 5, &[&row(&step, &[])]).await;
    assert_eq!(
        samples.get("wolkvox_ivr_calls_total", &[("result", "hung_up")]),
        Some(1.0)
    );
}

#[tokio::test]
async fn a_campaign_is_known_by_the_digits_at_its_beginning_or_by_its_name() {
    let mut centre = Centre::new().await;
    let campaigns: Vec<String> = [
        "5-Ventas-tel1 (100%)",
        "10 – Guión – tel1 (100%)",
        "11|Ventas",
        "6_Nombre_tel1",
        "Campaña sin id",
        "4875 - MY CAMPAIGN - tel1 (100%)",
    ]
    .iter()
    .map(|text| row(&[("campaign", text), ("status", "Iniciada")], &[]))
    .collect();
    let campaigns: Vec<&str> = campaigns.iter().map(String::as_str).collect();
    let samples = centre.poll(&CAMPAIGNS, 5, &campaigns).await;
    let name = |id: &str| {
        let infos = samples
            .iter()
            .filter(|(name, labels, _)| *name == "wolkvox_campaign_info" && labels["campaign_id"] == id);
        infos
            .map(|(_, labels, _)| (labels["campaign"].clone(), labels["strategy"].clone()))
            .next()
    };
    let text = |name: &str, strategy: &str| Some((name.to_owned(), strategy.to_owned()));
    assert_eq!(name("5"), text("Ventas", "tel1 (100%)"));
    assert_eq!(name("10"), text("Guión", "tel1 (100%)"));
    assert_eq!(name("11"), text("Ventas", ""));
    assert_eq!(name("6"), text("Nombre_tel1", ""));
    assert_eq!(name("Campaña sin id"), text("Campaña sin id", ""));
    assert_eq!(name("4875"), text("MY CAMPAIGN", "tel1 (100%)"));
    assert_eq!(
        samples.all("wolkvox_campaign_status", &[("status", "started")]),
        [1.0; 6]
    );
}

#[tokio::test]
async fn ids_and_names_have_bounds() {
    let mut centre = Centre::new().await;
    let long = "x".repeat(5000);
    let calls = [
        call("a", &[("skill_id", &long)]),
        call("b", &[("skill_name", &format!("\u{7}Ven\u{1b}tas{}", "ñ".repeat(300)))]),
    ];
    let samples = centre
        .poll(&ABANDONED_CALLS, 5, &calls.each_ref().map(String::as_str))
        .await;
    assert_eq!(rows(&samples, &ABANDONED_CALLS, "invalid"), 1.0);
    assert_eq!(interactions(&samples, "abandoned"), 1.0);
    let names: Vec<String> = samples
        .iter()
        .filter(|(name, ..)| *name == "wolkvox_skill_info")
        .map(|(_, labels, _)| labels["skill"].clone())
        .collect();
    assert_eq!(names, [format!("Ventas{}", "ñ".repeat(122))]);
}

/// Fifty routing points where three sets of labels are allowed: their rows are counted, in few series.
#[tokio::test]
async fn ids_over_the_limit_are_counted_together() {
    let mut centre = Centre::with_limit(3).await;
    let steps: Vec<String> = (100..150)
        .map(|point| {
            row(
                &[
                    ("rp_id", &point.to_string()),
                    ("conn_id", &format!("c{point}")),
                    ("date", "2026-11-26 09:01:00"),
                    ("result", "OK"),
                    ("time", "7"),
                    ("cod_opc_menu", "1"),
                    ("dn_transfer", "4000"),
                ],
                &[],
            )
        })
        .collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let samples = centre.poll(&IVR, 5, &steps).await;
    // Three of their own, three with their own id, and one for all the others.
    for (family, free) in [
        ("wolkvox_ivr_selections_total", "option"),
        ("wolkvox_ivr_transfers_total", "dn_transfer"),
    ] {
        let series = samples.all(family, &[]);
        assert_eq!((series.len(), series.iter().sum()), (7, 50.0), "{family}");
        assert_eq!(samples.all(family, &[(free, "_other")]).len(), 4);
        assert_eq!(
            samples.get(family, &[("rp_id", "_other"), (free, "_other")]),
            Some(44.0)
        );
        let dropped = [("family", family)];
        assert_eq!(
            samples.get("wolkvox_exporter_series_dropped_total", &dropped),
            Some(47.0)
        );
    }
}
