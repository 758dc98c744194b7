//! What each command needs, found or installed.

use anyhow::Result;

use crate::{browser, node, tool, toolchain, tshark};

/// What building the page needs.
pub(crate) fn for_build() -> Result<()> {
    node::provide()?;
    toolchain::provide_wasm_target()?;
    tool::trunk().provide()?;
    tool::wasm_bindgen()?.provide()?;
    toolchain::fetch_crates()
}

/// What the checks and the tests need.
pub(crate) fn for_test() -> Result<()> {
    for_build()?;
    toolchain::provide_components()?;
    browser::provide()?;
    tshark::provide()?;
    Ok(())
}
