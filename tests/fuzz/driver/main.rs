//! libFuzzer feeds the target that `FUZZ_TARGET` names. `scripts/fuzz.sh` builds and runs it.
#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let found = fuzz_targets::TARGETS.iter().find(|target| target.name == name);
    found.map(|target| target.run).unwrap_or_else(|| {
        let names: Vec<_> = fuzz_targets::TARGETS.iter().map(|target| target.name).collect();
        eprintln!("FUZZ_TARGET must be one of {}", names.join(", "));
        std::process::exit(2)
    })
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET(data));
