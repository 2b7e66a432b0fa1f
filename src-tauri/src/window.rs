//! The one window: full screen, no decorations, never white, and nowhere to go.

use crate::{Heart, lockdown, revival};
use tauri::utils::config::Color;
use tauri::{App, WebviewUrl, WebviewWindowBuilder};

/// How the window lies on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowConfig {
    /// Fill the screen. Off only on a desk, where the window then has the size below.
    pub full_screen: bool,
    /// Width in CSS pixels when not full screen.
    pub width: u32,
    /// Height in CSS pixels when not full screen.
    pub height: u32,
}

/// Sea 900: what is seen before the first view.
const SEA: Color = Color(6, 40, 58, 255);

pub(crate) fn open(app: &App, config: &WindowConfig, heart: &Heart) -> tauri::Result<()> {
    let (width, height) = size(app, config);
    let window = WebviewWindowBuilder::new(app, "kiosk", WebviewUrl::App("index.html".into()))
        .title("Citizen kiosk")
        .inner_size(width, height)
        .position(0.0, 0.0)
        .decorations(false)
        .resizable(!config.full_screen)
        .fullscreen(config.full_screen)
        .background_color(SEA)
        .devtools(false)
        // Nothing of the web view is kept on the disk. WebDriver cannot drive a private one.
        .incognito(std::env::var_os("TAURI_WEBVIEW_AUTOMATION").is_none())
        .zoom_hotkeys_enabled(false)
        .disable_drag_drop_handler()
        .on_navigation(|url| url.scheme() == "tauri" && url.host_str() == Some("localhost"))
        .on_new_window(|_, _| tauri::webview::NewWindowResponse::Deny)
        .build()?;
    // A window on a desk may be hidden, and a hidden page paints nothing.
    let (heart, watched) = (heart.clone(), config.full_screen);
    window.with_webview(move |webview| {
        let view = webview.inner();
        lockdown::apply(&view);
        revival::arrange(&view, heart, watched);
    })
}

/// Without a window manager (as in a test) nothing obeys "full screen", so the size is the screen's own.
fn size(app: &App, config: &WindowConfig) -> (f64, f64) {
    let desk = (f64::from(config.width), f64::from(config.height));
    if !config.full_screen {
        return desk;
    }
    let monitor = app.primary_monitor().ok().flatten();
    monitor.map_or(desk, |monitor| {
        let size = monitor.size().to_logical::<f64>(monitor.scale_factor());
        (size.width, size.height)
    })
}
