//! The sounds themselves, synthesised: a few soft notes each, told apart by their melody, as a WAV file in memory.

use domain::device::Cue;
use std::f32::consts::TAU;

/// Samples a second. Enough for notes below 2 kHz, and it keeps every sound within the 64 KiB that a pipe holds.
const RATE: u32 = 22_050;
/// A note swells for so long, in seconds, so that it does not click.
const ATTACK_S: f32 = 0.008;
/// Silence at the end, in seconds: some sound cards swallow the last moments.
const TAIL_S: f32 = 0.05;

/// One note: hertz (0 for a rest), seconds, and its strength against the loudest.
type Note = (f32, f32, f32);

/// The notes of a cue. Rising is good news, falling is bad, repeated wants attention; no note is above 1.4 kHz, where
/// many older ears hear less.
fn notes(cue: Cue) -> &'static [Note] {
    match cue {
        // Three calls of two notes: come back.
        Cue::CardForgotten => &[
            (784.0, 0.14, 1.0),
            (1046.5, 0.16, 1.0),
            (0.0, 0.12, 0.0),
            (784.0, 0.14, 1.0),
            (1046.5, 0.16, 1.0),
            (0.0, 0.12, 0.0),
            (784.0, 0.14, 1.0),
            (1046.5, 0.26, 1.0),
        ],
        Cue::TimeWarning => &[(659.3, 0.18, 0.8), (0.0, 0.08, 0.0), (659.3, 0.24, 0.8)],
        Cue::Done => &[(523.3, 0.12, 0.8), (659.3, 0.12, 0.9), (784.0, 0.34, 1.0)],
        Cue::Refused => &[(392.0, 0.2, 0.9), (311.1, 0.36, 0.9)],
        // A scale, so that a rattling loudspeaker gives itself away.
        Cue::Test => {
            &[(261.6, 0.16, 1.0), (392.0, 0.16, 1.0), (523.3, 0.16, 1.0), (784.0, 0.16, 1.0), (1046.5, 0.4, 1.0)]
        }
    }
}

/// The cue as a WAV file: one channel, 16 bits, PCM. `level` is the loudest sample as a share of full scale.
pub(super) fn wave(cue: Cue, level: f32) -> Vec<u8> {
    let mut samples: Vec<f32> = Vec::new();
    for note in notes(cue) {
        render(*note, &mut samples);
    }
    samples.extend(std::iter::repeat_n(0.0, count(TAIL_S)));
    let loudest = samples.iter().fold(f32::EPSILON, |most, sample| most.max(sample.abs()));
    let gain = level.clamp(0.0, 1.0) * f32::from(i16::MAX) / loudest;
    let data: Vec<u8> = samples.iter().flat_map(|sample| to_pcm(sample * gain).to_le_bytes()).collect();
    [header(data.len()), data].concat()
}

/// A soft, bell-like note: a sine with a little of its octave, dying away.
fn render((hertz, seconds, strength): Note, into: &mut Vec<f32>) {
    let length = count(seconds);
    for at in 0..length {
        let time = at as f32 / RATE as f32;
        let swell = (time / ATTACK_S).min(1.0);
        // It ends in silence, whatever its length.
        let left = (1.0 - at as f32 / length as f32).powf(1.4);
        let tone = (TAU * hertz * time).sin() + 0.22 * (TAU * 2.0 * hertz * time).sin();
        into.push(tone * swell * left * strength);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive length of a few seconds")]
fn count(seconds: f32) -> usize {
    (seconds * RATE as f32) as usize
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to what an i16 holds")]
fn to_pcm(sample: f32) -> i16 {
    sample.clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
}

/// The 44 bytes in front of the samples (RIFF WAVE, PCM).
fn header(data: usize) -> Vec<u8> {
    let data = u32::try_from(data).unwrap_or(u32::MAX - 36);
    let mut out = Vec::with_capacity(44);
    out.extend(b"RIFF");
    out.extend((36 + data).to_le_bytes());
    out.extend(b"WAVEfmt ");
    out.extend(16_u32.to_le_bytes());
    // PCM, one channel.
    out.extend([1_u16, 1].map(u16::to_le_bytes).concat());
    out.extend([RATE, RATE * 2].map(u32::to_le_bytes).concat());
    // Bytes a frame, bits a sample.
    out.extend([2_u16, 16].map(u16::to_le_bytes).concat());
    out.extend(b"data");
    out.extend(data.to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Cue; 5] = [Cue::CardForgotten, Cue::TimeWarning, Cue::Done, Cue::Refused, Cue::Test];
    /// What a pipe holds (pipe(7)).
    const PIPE: usize = 65_536;

    fn samples(wave: &[u8]) -> Vec<i16> {
        wave[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
    }

    #[test]
    fn every_sound_is_a_wav_file_that_fits_into_a_pipe_and_lasts_less_than_two_seconds() {
        for cue in ALL {
            let wave = wave(cue, 0.3);
            assert_eq!((&wave[..4], &wave[8..16], &wave[36..40]), (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..]));
            let said = |at: usize| u32::from_le_bytes(wave[at..at + 4].try_into().unwrap()) as usize;
            assert_eq!((said(4), said(40)), (wave.len() - 8, wave.len() - 44), "{cue:?}");
            assert!(wave.len() < PIPE, "{cue:?}: {} bytes", wave.len());
            assert!(samples(&wave).len() < 2 * RATE as usize, "{cue:?}");
        }
    }

    #[test]
    fn no_sample_is_louder_than_configured_and_the_loudest_is_as_loud() {
        for (cue, level) in ALL.into_iter().flat_map(|cue| [0.1_f32, 0.3, 1.0].map(|level| (cue, level))) {
            let loudest = samples(&wave(cue, level)).into_iter().map(i16::unsigned_abs).max().unwrap();
            let allowed = f32::from(i16::MAX) * level;
            assert!((f32::from(loudest) - allowed).abs() < 2.0, "{cue:?} at {level}: {loudest} for {allowed}");
        }
        assert!(samples(&wave(Cue::Done, 0.0)).iter().all(|sample| *sample == 0));
        assert_eq!(wave(Cue::Done, 7.0), wave(Cue::Done, 1.0));
    }

    #[test]
    fn sounds_are_told_apart_and_neither_begin_nor_end_with_a_click() {
        for cue in ALL {
            let own = samples(&wave(cue, 1.0));
            assert!(own[0].unsigned_abs() < 300 && own.last() == Some(&0), "{cue:?}");
            for other in ALL.into_iter().filter(|other| *other != cue) {
                assert_ne!(own, samples(&wave(other, 1.0)), "{cue:?} sounds like {other:?}");
            }
        }
    }
}
