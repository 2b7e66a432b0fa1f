//! The peer: Debian's Chromium in kiosk mode, showing the very pages the kiosk ships, fed one recorded view by a
//! stand-in for the shell's three commands.

use crate::kiosk::end_group;
use axum::Router;
use axum::extract::{Path as Asked, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use testbed::display::Display;
use testbed::{StreetError, io_error};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Until the page must have painted.
const PATIENCE: Duration = Duration::from_secs(60);

/// Flags that leave out what a kiosk does not need, so that the peer stands at its best.
const FLAGS: &[&str] = &[
    "--kiosk",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--window-position=0,0",
    "--window-size=1080,1920",
];

struct Pages {
    ui: PathBuf,
    stand_in: String,
    painted: watch::Sender<bool>,
}

/// A running Chromium and the server of its pages.
pub(crate) struct Chromium {
    child: Child,
    runtime: Runtime,
    painted: watch::Receiver<bool>,
    _profile: TempDir,
}

impl Chromium {
    pub(crate) fn start(display: &Display, ui: &Path, view: &Path) -> Result<Self, StreetError> {
        let (told, painted) = watch::channel(false);
        let pages = Pages { ui: ui.to_owned(), stand_in: stand_in(ui, view)?, painted: told };
        let runtime = Runtime::new().map_err(io_error("the server's runtime"))?;
        let address = runtime.block_on(serve(pages))?;
        let profile = tempfile::tempdir().map_err(io_error("a profile for Chromium"))?;
        let mut command = Command::new("chromium");
        command.args(FLAGS).arg(format!("--user-data-dir={}", profile.path().display()));
        command.arg(format!("http://{address}/")).env("DISPLAY", display.name()).env_remove("WAYLAND_DISPLAY");
        command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let missing =
            |_| StreetError::Missing { program: "chromium".to_owned(), remedy: "install the package chromium" };
        let child = command.spawn().map_err(missing)?;
        Ok(Self { child, runtime, painted, _profile: profile })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the page has painted the view.
    pub(crate) fn await_painted(&self) -> Result<(), StreetError> {
        let mut painted = self.painted.clone();
        let waited = self.runtime.block_on(async {
            tokio::time::timeout(PATIENCE, painted.wait_for(|painted| *painted)).await.is_ok_and(|seen| seen.is_ok())
        });
        if waited { Ok(()) } else { Err(StreetError::KioskEnded("Chromium painted nothing".into())) }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        end_group(&mut self.child);
    }
}

/// The page's other side: answers `ui_ready` with a set-up and paints the recorded view through the channel.
fn stand_in(ui: &Path, view: &Path) -> Result<String, StreetError> {
    let view = std::fs::read_to_string(view).map_err(io_error(view.display().to_string()))?;
    let emblem = std::fs::read_to_string(ui.join("../views/emblem.svg")).map_err(io_error("the emblem"))?;
    let emblem = serde_json::Value::String(emblem);
    Ok(format!(
        "<script>
        const calls = new Map();
        window.__TAURI_INTERNALS__ = {{
          transformCallback(call) {{ calls.set(calls.size + 1, call); return calls.size; }},
          unregisterCallback(id) {{ calls.delete(id); }},
          async invoke(command, given) {{
            if (command === 'heartbeat') await fetch('/painted');
            if (command !== 'ui_ready') return;
            calls.get(given.channel.id)({{ index: 0, message: {{ seq: 1, view: {view} }} }});
            return {{ pxPerMm: 3.21, emblem: {emblem}, still: false }};
          }},
        }};
        </script>"
    ))
}

async fn serve(pages: Pages) -> Result<SocketAddr, StreetError> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(io_error("a port for the pages"))?;
    let address = listener.local_addr().map_err(io_error("a port for the pages"))?;
    let router = Router::new()
        .route("/", get(index))
        .route("/painted", get(painted))
        .route("/{*path}", get(asset))
        .with_state(Arc::new(pages));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            eprintln!("citizen-bench: the pages' server: {error}");
        }
    });
    Ok(address)
}

async fn index(State(pages): State<Arc<Pages>>) -> Response {
    match tokio::fs::read_to_string(pages.ui.join("index.html")).await {
        Ok(page) => Html(page.replacen("<head>", &format!("<head>{}", pages.stand_in), 1)).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn painted(State(pages): State<Arc<Pages>>) -> StatusCode {
    pages.painted.send_replace(true);
    StatusCode::NO_CONTENT
}

async fn asset(State(pages): State<Arc<Pages>>, Asked(path): Asked<String>) -> Response {
    // A file below the built pages, never beside them.
    if path.split('/').any(|part| part == "..") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let kind = match path.rsplit('.').next() {
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    };
    match tokio::fs::read(pages.ui.join(&path)).await {
        Ok(bytes) => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
