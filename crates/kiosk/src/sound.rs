//! The terminal's sounds: a thread of its own that pipes a short WAV to a player program. A sound never blocks
//! anything and is never the only sign of what it tells; a new one replaces the one that is being played. A player that
//! is missing or fails is logged once, until it works again.

mod wave;

use crate::KioskError;
use domain::device::Cue;
use serde::Deserialize;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// A player that has not ended by then is ended: no cue lasts so long.
const PLAY_MAX: Duration = Duration::from_secs(4);
/// How often a player is looked at that has not ended yet.
const LOOK: Duration = Duration::from_millis(100);

/// The `[sound]` section of the configuration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SoundConfig {
    /// The program that plays a WAV file from its standard input, with its arguments; empty for a silent terminal.
    pub player: Vec<String>,
    /// The loudest sample, as a share of full scale: from 0 (silent) to 1. How loud that is at a person's ear, the
    /// amplifier decides.
    pub level: f32,
}

impl Default for SoundConfig {
    fn default() -> Self {
        Self { player: ["aplay", "-q", "-"].map(str::to_owned).to_vec(), level: 0.3 }
    }
}

/// Where sounds are asked for.
#[derive(Clone)]
pub(crate) struct SoundDesk {
    cues: Sender<Cue>,
}

impl SoundDesk {
    /// Starts the thread.
    pub(crate) fn start(config: SoundConfig) -> Result<Self, KioskError> {
        let (cues, received) = channel();
        let mut player = Player { config, playing: None, faulty: false };
        let run = move || while player.turn(&received) {};
        std::thread::Builder::new().name("sound".into()).spawn(run).map_err(KioskError::Thread)?;
        Ok(Self { cues })
    }

    /// Plays a sound, soon.
    pub(crate) fn play(&self, cue: Cue) {
        // Nobody listens only when the process is ending.
        let _ = self.cues.send(cue);
    }
}

struct Player {
    config: SoundConfig,
    playing: Option<Playing>,
    /// The last sound failed, and that was logged.
    faulty: bool,
}

/// A player program at work. It is never left behind.
struct Playing {
    program: Child,
    until: Instant,
}

impl Drop for Playing {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is waited for, so that none stays as a zombie.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl Player {
    /// One cue, or one look at the program that plays; `false` when nobody can ask any more.
    fn turn(&mut self, cues: &Receiver<Cue>) -> bool {
        let cue = match &self.playing {
            None => cues.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(_) => cues.recv_timeout(LOOK),
        };
        match cue {
            Ok(cue) => {
                // Of several that came at once the last one counts.
                let cue = cues.try_iter().last().unwrap_or(cue);
                self.replace(cue);
                true
            }
            Err(RecvTimeoutError::Timeout) => {
                self.look();
                true
            }
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }

    fn replace(&mut self, cue: Cue) {
        self.playing = None;
        let Some((program, arguments)) = self.config.player.split_first() else { return };
        let wave = wave::wave(cue, self.config.level);
        match begin(program, arguments, &wave) {
            Ok(playing) => self.playing = Some(playing),
            Err(error) => self.failed(&error.to_string()),
        }
    }

    /// Has it ended, and well?
    fn look(&mut self) {
        let Some(playing) = &mut self.playing else { return };
        match playing.program.try_wait() {
            Ok(None) if Instant::now() < playing.until => return,
            Ok(None) => self.failed("it did not end"),
            Ok(Some(status)) if status.success() => self.faulty = false,
            Ok(Some(status)) => self.failed(&status.to_string()),
            Err(error) => self.failed(&error.to_string()),
        }
        self.playing = None;
    }

    fn failed(&mut self, why: &str) {
        if !std::mem::replace(&mut self.faulty, true) {
            tracing::warn!(player = ?self.config.player, why, "no sound: the player failed");
        }
    }
}

fn begin(program: &str, arguments: &[String], wave: &[u8]) -> std::io::Result<Playing> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut playing = Playing { program: command.spawn()?, until: Instant::now() + PLAY_MAX };
    if let Some(mut input) = playing.program.stdin.take() {
        // Shorter than a pipe holds (a test sees to it), so that this never waits for the program.
        input.write_all(wave)?;
    }
    Ok(playing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    /// A player that writes each sound to a file of its own, and ends only when told to (or never).
    fn recorder(folder: &Path, then: &str) -> SoundConfig {
        let script = format!("f=$(mktemp {}/XXXXXX.part); cat > $f; mv $f ${{f%.part}}.wav; {then}", folder.display());
        SoundConfig { player: ["sh", "-c", &script].map(str::to_owned).to_vec(), ..SoundConfig::default() }
    }

    /// Waits for this many recorded sounds.
    fn recorded(folder: &Path, count: usize) -> Vec<Vec<u8>> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let waves: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "wav")).collect();
            if waves.len() >= count {
                return waves.into_iter().map(|path| std::fs::read(path).unwrap()).collect();
            }
            assert!(Instant::now() < deadline, "{} of {count} sounds", waves.len());
            std::thread::yield_now();
        }
    }

    #[test]
    fn the_player_gets_the_sound_that_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let config = recorder(folder.path(), "true");
        let level = config.level;
        let desk = SoundDesk::start(config).unwrap();
        desk.play(Cue::Done);
        assert_eq!(recorded(folder.path(), 1), [wave::wave(Cue::Done, level)]);
    }

    #[test]
    fn a_new_sound_replaces_one_that_is_being_played() {
        let folder = tempfile::tempdir().unwrap();
        let desk = SoundDesk::start(recorder(folder.path(), "exec sleep 60")).unwrap();
        desk.play(Cue::CardForgotten);
        recorded(folder.path(), 1);
        // The first player would sleep for a minute more.
        desk.play(Cue::Refused);
        assert_eq!(recorded(folder.path(), 2).len(), 2);
    }

    #[test]
    fn a_player_that_is_missing_or_fails_is_noticed_and_disturbs_nothing() {
        let check = |player: &[&str]| {
            let player: Vec<String> = player.iter().map(|part| (*part).to_owned()).collect();
            let mut player = Player { config: SoundConfig { player, level: 0.3 }, playing: None, faulty: false };
            player.replace(Cue::Done);
            let deadline = Instant::now() + Duration::from_secs(10);
            while player.playing.is_some() && Instant::now() < deadline {
                player.look();
            }
            player.faulty
        };
        assert!(check(&["/nowhere/aplay"]));
        assert!(check(&["sh", "-c", "cat > /dev/null; exit 1"]));
        assert!(!check(&["sh", "-c", "cat > /dev/null"]));
        assert!(!check(&[]), "a silent terminal is no fault");
    }
}
