//! Turns a request into an answer: token, log, quota, faults, limits, then the report; and puts it on the wire.

use std::{io, time::Duration};

use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use jiff::Timestamp;
use tokio::time::sleep;

use super::{
    Simulator,
    answers::{Answer, AnswerWriter},
    api::Api,
    body::{Step, SteppedBody},
    faults::Fault,
    limits::InFlightGuard,
    request::ApiRequest,
    request_log::ObservedRequest,
    switches::{DateHeader, Framing, Switches},
    wire::Breakage,
};

/// Answers a request. An error closes the connection without an answer. `breakage` is that of the connection.
pub(super) async fn handle_request(
    simulator: &Simulator,
    request: &Request<Incoming>,
    breakage: &Breakage,
) -> io::Result<Response<SteppedBody>> {
    let path = request.uri().path();
    let token = request.headers().get("wolkvox-token");
    let operation = token.and_then(|token| simulator.operation_of_token(token.as_bytes()));
    let Some(operation) = operation else {
        let switches = Switches::default();
        let writer = AnswerWriter { switches: &switches };
        let answer = match token {
            _ if !is_api_path(request.method(), path) => Answer::html(404),
            None => writer.no_token(),
            Some(_) => writer.wrong_token(),
        };
        let delivery = Delivery {
            switches: &switches,
            now: simulator.clock().now(),
            fault: None,
            in_flight: None,
        };
        return delivery.response(answer, request.headers(), breakage);
    };

    let mut in_flight = operation.in_flight().enter();
    let api_request = ApiRequest {
        path,
        query: request.uri().query().unwrap_or_default(),
    };
    let fault = operation.take_fault(api_request.report());
    let parameter = |name| api_request.parameter(name).map(str::to_owned);
    operation.log_request(ObservedRequest {
        at: operation.now(),
        path: path.to_owned(),
        api: parameter("api"),
        date_ini: parameter("date_ini"),
        date_end: parameter("date_end"),
        fault: fault.clone(),
    });
    let switches = operation.switches();
    let today = operation.today();
    // Charged before anything can fail: the real server never learns that its answer was lost.
    let over_quota = switches
        .daily_quota
        .is_some_and(|quota| operation.quota().used(today) + switches.token.used_by_others >= quota);
    if switches.failed_calls_count && !over_quota {
        operation.quota().charge(today);
    }
    let faults = fault.as_ref().map(Fault::parts).unwrap_or_default();
    for fault in &faults {
        if let Fault::Delay(time) = fault {
            let working = working_for(*time, in_flight);
            in_flight = if switches.works_on {
                // A task of its own outlives the connection.
                tokio::spawn(working).await.map_err(io::Error::other)?
            } else {
                working.await
            };
        }
    }

    let writer = AnswerWriter { switches: &switches };
    let delivery_fault = faults.iter().copied().find(|fault| fault.breaks_delivery());
    let answer = match faults
        .iter()
        .copied()
        .find(|fault| !fault.breaks_delivery() && !matches!(fault, Fault::Delay(_)))
    {
        Some(Fault::ResetBeforeAnswer) => {
            breakage.reset();
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Some(Fault::NotHttp(bytes)) => {
            breakage.write_instead(bytes.clone());
            let mut ignored = Response::new(SteppedBody::new(Vec::new(), breakage.clone(), Some(in_flight)));
            ignored
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
            return Ok(ignored);
        }
        Some(Fault::Status {
            status,
            retry_after,
            body,
        }) => writer.http_error(*status, *body, retry_after.clone()),
        Some(Fault::Html) => Answer::html(200),
        Some(Fault::SimultaneousLimit) => writer.simultaneous_limit(),
        Some(Fault::QuotaExceeded) => writer.quota_exceeded(),
        Some(Fault::WrongToken) => writer.wrong_token(),
        _ if !is_api_path(request.method(), path) => Answer::html(404),
        _ if in_flight.concurrent > switches.in_flight => writer.simultaneous_limit(),
        _ if over_quota => writer.quota_exceeded(),
        _ => api_request.answer(operation, &writer),
    };
    if !switches.failed_calls_count && answer.is_success() {
        operation.quota().charge(today);
    }
    Delivery {
        switches: &switches,
        now: operation.now(),
        fault: delivery_fault,
        in_flight: Some(in_flight),
    }
    .response(answer, request.headers(), breakage)
}

/// Keeps a request in flight for some time.
async fn working_for(time: Duration, in_flight: InFlightGuard) -> InFlightGuard {
    sleep(time).await;
    in_flight
}

fn is_api_path(method: &Method, path: &str) -> bool {
    method == Method::GET && Api::ALL.iter().any(|api| api.path() == path)
}

/// How an answer is sent: its headers, framing and faults.
#[derive(Debug)]
struct Delivery<'a> {
    switches: &'a Switches,
    now: Timestamp,
    fault: Option<&'a Fault>,
    in_flight: Option<InFlightGuard>,
}

impl Delivery<'_> {
    fn response(self, answer: Answer, request: &HeaderMap, breakage: &Breakage) -> io::Result<Response<SteppedBody>> {
        let mut headers = HeaderMap::new();
        let mut set = |name, value: &str| -> io::Result<()> {
            headers.insert(name, value.parse().map_err(io::Error::other)?);
            Ok(())
        };
        set(header::CONTENT_TYPE, &answer.content_type)?;
        if let Some(date) = self.date() {
            set(header::DATE, &date)?;
        }
        if let Some(retry_after) = &answer.retry_after {
            set(header::RETRY_AFTER, retry_after)?;
        }
        if self.switches.close_connections {
            set(header::CONNECTION, "close")?;
        }
        let mut body = answer.body;
        if self.switches.gzip && accepts_gzip(request) {
            let coding = self.switches.coding;
            set(header::CONTENT_ENCODING, coding.name())?;
            body = coding.encode(&body)?;
        }
        let whole = body.len() as u64;
        let length = match (self.fault, self.switches.framing) {
            (Some(Fault::ContentLengthTooLong(more)), _) => Some(whole + more),
            (Some(Fault::ContentLengthTooShort(less)), _) => Some(whole.saturating_sub(*less)),
            (Some(Fault::CutBody(_)), _) | (_, Framing::Chunked) => None,
            (_, Framing::ContentLength) => Some(whole),
        };
        // hyper takes the length from the header, since the body has no size hint; without the header it sends chunks.
        if let Some(length) = length {
            set(header::CONTENT_LENGTH, &length.to_string())?;
        }
        let steps = match self.fault {
            Some(Fault::CutBody(fraction)) => Step::beginning(&body, *fraction, Some(Step::Close)),
            Some(Fault::Stall(pause)) => Step::stalled(&body, *pause),
            Some(Fault::Reset) => Step::beginning(&body, 0.5, Some(Step::Reset)),
            Some(Fault::Trickle { bytes, every }) => Step::trickled(&body, *bytes, *every),
            Some(Fault::ContentLengthTooLong(_)) => Step::beginning(&body, 1.0, None),
            _ => vec![Step::Send(body)],
        };
        let mut response = Response::new(SteppedBody::new(steps, breakage.clone(), self.in_flight));
        let hidden = answer.of_api && self.switches.status_in_code_only;
        let status = if hidden { 200 } else { answer.status };
        *response.status_mut() = StatusCode::from_u16(status).map_err(io::Error::other)?;
        *response.headers_mut() = headers;
        Ok(response)
    }

    fn date(&self) -> Option<String> {
        let shown = match self.switches.date_header {
            DateHeader::Clock => self.now,
            DateHeader::Skewed(skew) => self.now.saturating_add(skew).unwrap_or(self.now),
            DateHeader::Absent => return None,
        };
        Some(httpdate::fmt_http_date(shown.into()))
    }
}

fn accepts_gzip(request: &HeaderMap) -> bool {
    let accepted = request
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    accepted.is_some_and(|codings| codings.contains("gzip"))
}
