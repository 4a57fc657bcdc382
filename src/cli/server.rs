//! How the subcommands that serve over TCP live: from the listening socket to the signal that ends them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Ready once SIGTERM or SIGINT has come.
pub type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Listens, says where, and serves until a signal. The error is for people.
pub fn until_signal<F>(listen: SocketAddr, serve: impl FnOnce(TcpListener, Stop) -> F) -> Result<(), String>
where
    F: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("the server does not start: {error}"))?.block_on(async {
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|error| format!("cannot listen on {listen}: {error}; choose another address with --listen"))?;
        let signals = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
        let [Ok(mut terminate), Ok(mut interrupt)] = signals else {
            return Err("signals cannot be received".to_owned());
        };
        raise_file_limit();
        eprintln!("listening on {}", listener.local_addr().unwrap_or(listen));
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            eprintln!("stopping");
        };
        serve(listener, Box::pin(stop)).await;
        Ok(())
    })
}

/// A connection is a file descriptor; the usual limit of 1024 is less than a server's own.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
