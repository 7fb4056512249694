//! Addresses to listen on, and sockets that are handed over.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use tokio::net::TcpListener;

/// An address to listen on, as `host:port` or as `:port` for all addresses of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    host: Option<String>,
    port: u16,
}

impl ListenAddress {
    /// All addresses of the host.
    pub const fn every_address(port: u16) -> Self {
        Self { host: None, port }
    }

    /// Whether the system chooses the port.
    pub fn has_any_port(&self) -> bool {
        self.port == 0
    }
}

impl ListenAddress {
    /// `host:port` at which this machine reaches what listens there.
    pub fn to_reach(&self) -> String {
        let host = match self.host.as_deref() {
            None | Some("0.0.0.0") => "127.0.0.1",
            Some("::") => "[::1]",
            Some(host) if host.contains(':') => return format!("[{host}]:{}", self.port),
            Some(host) => host,
        };
        format!("{host}:{}", self.port)
    }
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("{text:?} is not an address to listen on; write :9963, 127.0.0.1:9963 or [::1]:9963");
        let (host, port) = text.rsplit_once(':').ok_or_else(expected)?;
        let port = port.parse().map_err(|_| expected())?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if bare.is_none() && host.contains(':') {
            return Err(expected());
        }
        let host = bare.unwrap_or(host);
        Ok(Self {
            host: (!host.is_empty()).then(|| host.to_owned()),
            port,
        })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Some(host) => write!(f, "{host}:{}", self.port),
            None => write!(f, ":{}", self.port),
        }
    }
}

/// Listens. `:9963` means IPv6 and IPv4, or only IPv4 on a host without IPv6.
pub async fn bind(address: &ListenAddress) -> io::Result<TcpListener> {
    let port = address.port;
    match &address.host {
        Some(host) => TcpListener::bind((host.as_str(), port)).await,
        None => {
            let every = |ip: IpAddr| SocketAddr::new(ip, port);
            match TcpListener::bind(every(Ipv6Addr::UNSPECIFIED.into())).await {
                Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                    TcpListener::bind(every(Ipv4Addr::UNSPECIFIED.into())).await
                }
                result => result,
            }
        }
    }
}

/// The sockets that the service manager passed to this process (systemd's socket activation). Call it once, before
/// other threads exist: it removes the variables that describe them from the environment.
pub fn handed_over() -> io::Result<Vec<std::net::TcpListener>> {
    let mut handed = listenfd::ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..handed.len() {
        if let Some(socket) = handed.take_tcp_listener(index)? {
            socket.set_nonblocking(true)?;
            sockets.push(socket);
        }
    }
    Ok(sockets)
}
