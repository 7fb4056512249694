//! The accept loop.

use std::{io, net::SocketAddr, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Simulator,
    handler::handle_request,
    wire::{Breakage, Wire},
};

/// How long answers may still take after the simulator was stopped.
const GRACE: Duration = Duration::from_millis(200);

/// A running simulator. Dropping it stops it.
#[derive(Debug)]
pub struct RunningSimulator {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl RunningSimulator {
    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as a URL, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops accepting connections, gives answers a moment to finish, and closes what is left.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

impl Drop for RunningSimulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(super) fn start(simulator: Simulator, listener: TcpListener) -> io::Result<RunningSimulator> {
    let address = listener.local_addr()?;
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    tasks.spawn(accept(simulator, listener, stop.clone(), tasks.clone()));
    tasks.close();
    Ok(RunningSimulator { address, stop, tasks })
}

async fn accept(simulator: Simulator, listener: TcpListener, stop: CancellationToken, tasks: TaskTracker) {
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            // In a task of its own, so that a fault ends only this connection.
            Ok((stream, _)) => drop(tasks.spawn(serve(simulator.clone(), stream, stop.clone()))),
            // Perhaps out of file descriptors. Others may be closed meanwhile.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn serve(simulator: Simulator, stream: TcpStream, stop: CancellationToken) {
    let breakage = Breakage::default();
    // Small pieces of a body must arrive as they are sent.
    let _ = stream.set_nodelay(true);
    let wire = TokioIo::new(Wire::new(stream, breakage.clone()));
    let service = service_fn(move |request| {
        let (simulator, breakage) = (simulator.clone(), breakage.clone());
        async move { handle_request(&simulator, &request, &breakage).await }
    });
    // The handler sets the Date header, by the simulated clock.
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .auto_date_header(false)
            .serve_connection(wire, service)
    );
    // Errors are injected faults, or clients that went away.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(GRACE, connection).await;
        }
    }
}
