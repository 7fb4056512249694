//! The server: a process of its own that answers from memory, so that it is no part of what is measured.

use std::env;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use super::{ANSWERS, Outcome, ROWS};

/// The server's process, which is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(layout: &str) -> Outcome<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(["serve", layout])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut address)?;
        address.truncate(address.trim_end().len());
        Ok(Self { child, address })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server: prints its address and answers from memory until killed.
pub(crate) fn serve(indented: bool) -> Outcome<()> {
    let bodies: Vec<String> = (0..ANSWERS).map(|answer| body(answer, ROWS, indented)).collect();
    let bodies = Arc::new((body(0, 1, indented), bodies));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (stream, bodies) = (stream?, Arc::clone(&bodies));
        // A connection ends with a failed read or write.
        thread::spawn(move || answer(&stream, &bodies.0, &bodies.1).is_ok());
    }
    Ok(())
}

/// Answers the requests of one connection: each body in turn, or the short one.
fn answer(mut stream: &TcpStream, short: &str, long: &[String]) -> Outcome<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream).lines();
    let mut next = long.iter().cycle();
    while let Some(request) = lines.next().transpose()? {
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let body = if request.contains("/short") {
            short
        } else {
            next.next().ok_or("no bodies")?
        };
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length:";
        write!(stream, "{head} {}\r\n\r\n", body.len())?;
        stream.write_all(body.as_bytes())?;
    }
    Ok(())
}

/// An answer of abandoned calls; one row in a hundred has escapes.
fn body(answer: usize, rows: usize, indented: bool) -> String {
    const SKILLS: [&str; 5] = ["Ventas", "Soporte Hogar", "Retenciones", "Cartera 30", "PQR"];
    const CHANNELS: [&str; 4] = ["inbound", "chat-web", "chat-whatsapp", "out_pre"];
    let (line, indent, colon) = if indented { ("\n", "    ", ": ") } else { ("", "", ":") };
    let mut random = fastrand::Rng::with_seed(answer as u64);
    let mut body = String::new();
    let message = "Records found according to your query parameters";
    body.push_str(&format!(
        "{{{line}{indent}\"code\"{colon}\"200\",{line}{indent}\"error\"{colon}null,{line}"
    ));
    body.push_str(&format!(
        "{indent}\"msg\"{colon}\"{message}\",{line}{indent}\"data\"{colon}["
    ));
    for row in 0..rows {
        let skill = random.usize(..SKILLS.len());
        let (name, kind) = if row % 100 == 99 {
            (r#"Atenci\u00f3n \/ l\u00ednea \"B\""#, r"ivr\/")
        } else {
            (SKILLS[skill], "")
        };
        let second = 43_200 * row / rows + 28_800;
        let date = format!(
            "2026-06-{:02} {:02}:{:02}:{:02}",
            answer + 1,
            second / 3600,
            second / 60 % 60,
            second % 60
        );
        let fields = [
            ("skill_name", name.to_owned()),
            ("skill_id", (20_301 + skill).to_string()),
            (
                "conn_id",
                format!(
                    "{kind}12345.{}.{}.{row:05}",
                    random.u32(1000..9999),
                    1_782_400_000 + second
                ),
            ),
            ("date", date),
            ("result", "abandoned".to_owned()),
            ("ani", format!("3{:09}", random.u32(..1_000_000_000))),
            ("abandon_time", random.u32(1..600).to_string()),
            ("type_interaction", CHANNELS[random.usize(..CHANNELS.len())].to_owned()),
            ("customer_id", random.u32(10_000_000..1_100_000_000).to_string()),
        ];
        let separator = if row == 0 { "" } else { "," };
        let _ = write!(body, "{separator}{line}{indent}{indent}{{");
        for (place, (key, value)) in fields.iter().enumerate() {
            let separator = if place == 0 { "" } else { "," };
            let _ = write!(
                body,
                "{separator}{line}{indent}{indent}{indent}\"{key}\"{colon}\"{value}\""
            );
        }
        let _ = write!(body, "{line}{indent}{indent}}}");
    }
    let _ = write!(body, "{line}{indent}]{line}}}");
    body
}
