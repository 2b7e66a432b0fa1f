//! Serving, until somebody says stop.

use super::say;
use central::{CentralError, CityServer, DataFolder, TlsSettings, serve, serve_metrics, serve_tls};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How `serve` was asked to serve.
pub(crate) struct Serve {
    pub(crate) port: u16,
    pub(crate) port_file: Option<PathBuf>,
    pub(crate) tls: Option<TlsSettings>,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) drain: Duration,
    pub(crate) with_parent: bool,
}

pub(crate) fn run(data: DataFolder, asked: &Serve) -> Result<(), CentralError> {
    if asked.with_parent {
        nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGTERM)
            .map_err(|error| CentralError::Listen(error.into()))?;
    }
    let runtime = tokio::runtime::Runtime::new().map_err(CentralError::Listen)?;
    runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate()).map_err(CentralError::Listen)?;
        let server = CityServer::open(data)?;
        let secure = match &asked.tls {
            Some(settings) => Some(serve_tls(server.clone(), settings).await?),
            None => None,
        };
        let watched = match asked.metrics {
            Some(address) => Some(serve_metrics(server.clone(), address).await?),
            None => None,
        };
        let running = serve(server.clone(), asked.port).await?;
        if let Some(path) = &asked.port_file {
            let temporary = path.with_extension("new");
            let write = std::fs::write(&temporary, running.address().port().to_string());
            write.and_then(|()| std::fs::rename(&temporary, path)).map_err(|error| CentralError::file(path, error))?;
        }
        say(&format!("listening on {}", running.url()))?;
        if let Some(secure) = &secure {
            say(&format!("listening on {}, for terminals on {}", secure.address(), secure.url()))?;
        }
        if let Some(watched) = &watched {
            say(&format!("metrics on {}", watched.url()))?;
        }
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        server.begin_stop();
        tracing::info!("stopping");
        tokio::time::sleep(asked.drain).await;
        if let Some(secure) = secure {
            secure.stop().await?;
        }
        running.stop().await?;
        match watched {
            Some(watched) => watched.stop().await,
            None => Ok(()),
        }
    })
}
