//! The TypeScript of the wire is generated. Whether it is in step is tested in crates/session, which knows the types
//! (`wire::tests::the_windows_types_are_in_step_with_the_session`); here: that this test and its way to be run exist.

use super::read;

#[test]
fn the_screens_types_are_generated_and_a_test_holds_them_in_step() {
    let generated = read("ui/src/wire.ts");
    assert!(generated.starts_with("// Generated from crates/session"), "ui/src/wire.ts is written by `make wire` only");
    let source = read("crates/session/src/wire.rs");
    let makefile = read("Makefile");
    let filter = makefile.split("-E 'test(").nth(1).and_then(|rest| rest.split(')').next());
    let filter = filter.expect("`make wire` selects the test by its name");
    let found = source.lines().any(|line| line.trim_start().starts_with("fn ") && line.contains(filter));
    assert!(found, "`make wire` runs tests named *{filter}*: there is none in crates/session/src/wire.rs");
}
