//! What people type, and whom things are named after: it is counted, but not shown.

use wolkvox_exporter::reports::{ABANDONED_CALLS, CAMPAIGNS, IVR};

use super::{Centre, call, interactions, row};
use crate::support::{Samples, get};

#[tokio::test]
async fn numbers_addresses_and_invisible_characters_are_no_labels() {
    let mut centre = Centre::new().await;
    let typed = [
        ("1", "", "1"),
        ("12", "", "12"),
        ("123", "number", "number"),
        ("4 8 1 5", "4000", "number"),
        ("ana@acme.example", "sip:ana@acme.example", "other"),
        ("٣٠٠١٢٣", "ana\u{200b}ana", "number"),
    ];
    let steps = typed.each_ref().map(|(option, target, _)| {
        row(
            &[
                ("rp_id", "7100"),
                ("rp_name", "Llamar al 300\u{200b}1234567\u{202e} \u{9b}31m"),
                ("conn_id", option),
                ("date", "2026-11-26 09:01:00"),
                ("result", "OK"),
                ("time", "7"),
                ("cod_opc_menu", option),
                ("dn_transfer", target),
            ],
            &[],
        )
    });
    let samples = centre.poll(&IVR, 5, &steps.each_ref().map(String::as_str)).await;
    for (option, of_it) in [("1", 1.0), ("12", 1.0), ("number", 3.0), ("other", 1.0)] {
        let labels = [("rp_id", "7100"), ("option", option)];
        assert_eq!(
            samples.get("wolkvox_ivr_selections_total", &labels),
            Some(of_it),
            "{option}"
        );
    }
    assert_eq!(
        labels(&samples, "wolkvox_ivr_selections_total", "option"),
        ["1", "12", "number", "other"]
    );
    assert_eq!(
        labels(&samples, "wolkvox_ivr_transfers_total", "dn_transfer"),
        ["4000", "anaana", "number", "other"]
    );
    assert_eq!(
        labels(&samples, "wolkvox_routing_point_info", "routing_point"),
        ["Llamar al number 31m"]
    );

    let of_a_person = call(
        "a",
        &[
            ("skill_id", "573001234567"),
            ("skill_name", "Ana\u{7}\nMaría 52.123.456"),
        ],
    );
    let samples = centre.poll(&ABANDONED_CALLS, 5, &[&of_a_person]).await;
    assert_eq!(labels(&samples, "wolkvox_skill_info", "skill_id"), ["number"]);
    assert_eq!(
        labels(&samples, "wolkvox_skill_info", "skill"),
        ["Ana María 52.123.456"]
    );

    let campaign = row(
        &[
            ("campaign", "1060 - Cobro 1020304050\u{2066} - predictive"),
            ("status", "started"),
        ],
        &[],
    );
    let samples = centre.poll(&CAMPAIGNS, 5, &[&campaign]).await;
    assert_eq!(
        labels(&samples, "wolkvox_campaign_info", "campaign"),
        ["Cobro number - predictive"]
    );

    let page = &centre.stage.page;
    let html = get(&page.0.replace("/metrics", "/"), &[]).await.text().await.unwrap();
    for text in [page.text("text/plain").await, html] {
        for hidden in [
            "3001234567",
            "1020304050",
            "ana@",
            "4 8 1 5",
            "\u{202e}",
            "\u{9b}",
            "\u{2066}",
            "\u{200b}",
            "\u{7}",
        ] {
            assert!(!text.contains(hidden), "{hidden:?}");
        }
    }
}

/// The different values of a label, in order.
fn labels(samples: &Samples, family: &str, label: &str) -> Vec<String> {
    let of_family = samples.iter().filter(|(name, ..)| *name == family);
    let mut values: Vec<String> = of_family.map(|(_, labels, _)| labels[label].clone()).collect();
    values.sort();
    values.dedup();
    values
}

/// A gateway that sends requests back would make the token a name.
#[tokio::test]
async fn an_answer_with_the_token_in_it_is_not_used() {
    let mut centre = Centre::new().await;
    let token = centre.stage.acme().token().to_owned();
    let named_so = call("a", &[("skill_name", &format!("Bearer {token}."))]);
    let samples = centre.poll(&ABANDONED_CALLS, 5, &[&named_so]).await;
    let up = |samples: &Samples| samples.get("wolkvox_up", &[("report", "abandoned_calls")]);
    assert_eq!(up(&samples), Some(0.0));
    let page = &centre.stage.page;
    let html = get(&page.0.replace("/metrics", "/"), &[]).await.text().await.unwrap();
    for text in [page.text("text/plain").await, html] {
        assert!(!text.contains(&token[..16]), "{text}");
    }
    let samples = centre.poll(&ABANDONED_CALLS, 10, &[&call("a", &[])]).await;
    assert_eq!((up(&samples), interactions(&samples, "abandoned")), (Some(1.0), 1.0));
}
